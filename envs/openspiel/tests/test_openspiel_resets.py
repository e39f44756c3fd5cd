"""What a reset chooses holds for its episode: what comes of it is by its own arguments, whatever was reset to before."""

from __future__ import annotations

from typing import Any

import pytest

from openspiel_env import OpenSpielAction
from openspiel_env.server import crowd, games
from openspiel_env.server.environment import OpenSpielEnvironment

TOLD: dict[str, Any] = {
    "game_name": "go(board_size=5)",
    "game_params": {"komi": 3.5},
    "agent_player": 1,
    "opponent_policy": "first",
    "mcts_simulations": 20,
}
CHOICES: list[dict[str, Any]] = [
    {},
    {"game_params": {"komi": 0.5}},
    {"game_params": {}},
    {"game_name": "go"},
    {"game_name": "go", "game_params": {"board_size": 7}},
    {"agent_player": 0},
    {"opponent_policy": "last"},
    {"opponent_policy": "mcts"},
    {"opponent_policy": "mcts", "mcts_simulations": 2},
    {"game_name": "tic_tac_toe", "opponent_policy": "minimax"},
    {"game_name": "kuhn_poker", "opponent_policy": "none", "agent_player": 0},
]


def played(environment: OpenSpielEnvironment, options: dict[str, Any]) -> list[str]:
    """Return a few moves of an episode as bytes on the wire would be, and what the state says of it."""
    seen = [environment.reset(seed=5, episode_id="e", **options)]
    while not seen[-1].done and len(seen) < 6:
        legal = seen[-1].legal_actions
        seen.append(environment.step(OpenSpielAction(action_id=legal[len(seen) % len(legal)])))
    return [*(each.model_dump_json() for each in seen), environment.state.model_dump_json()]


def test_every_reset_is_as_the_first_of_its_class() -> None:
    alone = [played(OpenSpielEnvironment(**TOLD), options) for options in CHOICES]
    used = OpenSpielEnvironment(**TOLD)
    for step in (1, 2, 3, 7):
        for number in (each * step % len(CHOICES) for each in range(len(CHOICES))):
            assert played(used, CHOICES[number]) == alone[number], f"{CHOICES[number]} depends on what came before it"


def test_what_a_reset_does_not_name_is_as_the_class_was_told() -> None:
    environment = OpenSpielEnvironment(**TOLD)
    environment.reset(game_name="tic_tac_toe", agent_player=0, opponent_policy="none")
    environment.reset(game_params={"komi": 6})
    state = environment.state
    assert (state.game_name, state.game_params) == ("go", {"board_size": 5, "komi": 6.0})
    assert (state.agent_player, state.opponent_policy) == (1, "first")
    environment.reset(game_name="go", game_params={"komi": 6})
    assert environment.state.game_params == {"komi": 6.0}, "a game that is named comes with its own defaults"


@pytest.mark.parametrize(
    ("good", "wrong"),
    [
        ({"game_params": {"rows": 4}}, {"game_params": {"rows": 4.0}}),
        ({"game_params": {"rows": 1}}, {"game_params": {"rows": True}}),
        ({"mcts_simulations": 5}, {"mcts_simulations": 5.0}),
    ],
    ids=str,
)
def test_what_is_refused_at_first_is_refused_after_its_equal_too(good: dict[str, Any], wrong: dict[str, Any]) -> None:
    environment = OpenSpielEnvironment()
    environment.reset(**good)
    state = environment.state
    with pytest.raises(ValueError, match="must be"):
        environment.reset(**wrong)
    assert environment.state == state


@pytest.mark.parametrize(
    ("game", "seed_decides"),
    [
        ("tarok", True),
        ("tarok(rng_seed=-1)", True),
        ("tarok(rng_seed=4)", False),
        ("misere(game=tarok())", True),
        ("misere(game=tarok(rng_seed=4))", False),
        ("add_noise(epsilon=0.5,seed=1,game=tic_tac_toe())", True),
    ],
)
def test_dice_inside_a_game_do_not_go_on_from_episode_to_episode(game: str, seed_decides: bool) -> None:
    environment = OpenSpielEnvironment(game_name=game, opponent_policy="first")

    def episode(seed: int) -> list[str]:
        observation = environment.reset(seed=seed)
        seen = [observation.model_dump_json()]
        while not observation.done:
            observation = environment.step(OpenSpielAction(action_id=observation.legal_actions[0]))
            seen.append(observation.model_dump_json())
        return seen

    first = episode(3)
    assert (episode(4) != first) == seed_decides
    assert episode(3) == first


def test_what_is_asked_for_again_is_not_loaded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    load, solve = games.load, crowd.Crowd.__init__

    def counted(name: Any, params: Any = None) -> games.Game:
        loaded.append(name)
        return load(name, params)

    def solved(self: crowd.Crowd, game: games.Game, policy: str) -> None:
        loaded.append(policy)
        solve(self, game, policy)

    monkeypatch.setattr(games, "load", counted)
    monkeypatch.setattr(crowd.Crowd, "__init__", solved)
    environment = OpenSpielEnvironment(game_name="mfg_garnet")
    for options in ({}, {"game_name": "catch"}, {"game_name": "catch"}, {}, {"game_name": "mfg_garnet"}, {}):
        environment.reset(**options)
    assert loaded == ["mfg_garnet", "random", "catch"]
