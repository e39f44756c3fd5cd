"""Opponents that search: the perfect one and the strong one."""

from __future__ import annotations

from collections import Counter
from random import Random

import pyspiel
import pytest

from openspiel_env import OpenSpielAction, OpenSpielObservation
from openspiel_env.policies import TacticalTicTacToePolicy
from openspiel_env.server import games
from openspiel_env.server.environment import OpenSpielEnvironment
from openspiel_env.server.minimax import solved
from openspiel_env.server.tree_search import RESAMPLED


def returns(environment: OpenSpielEnvironment, moves: list[int], seed: int) -> tuple[float, OpenSpielObservation]:
    observation, total = environment.reset(seed=seed), 0.0
    for move in moves:
        observation = environment.step(OpenSpielAction(action_id=move))
        total += observation.reward or 0.0
    return total, observation


@pytest.mark.parametrize("seat", [0, 1])
def test_minimax_never_loses_tic_tac_toe_whatever_the_agent_plays(seat: int) -> None:
    environment = OpenSpielEnvironment(game_name="tic_tac_toe", agent_player=seat, opponent_policy="minimax")
    waiting: list[list[int]] = [[]]
    ended = []
    while waiting:
        moves = waiting.pop()
        total, observation = returns(environment, moves, seed=1)
        if observation.done:
            ended.append(total)
        waiting += [[*moves, move] for move in observation.legal_actions]
    assert len(ended) > 50
    assert max(ended) == 0.0, "the agent can draw, and no more"
    assert min(ended) == -1.0


def test_minimax_varies_between_moves_that_are_equally_good() -> None:
    environment = OpenSpielEnvironment(game_name="tic_tac_toe", agent_player=1, opponent_policy="minimax")
    openings = {environment.reset(seed=seed).opponent_last_action for seed in range(60)}
    assert openings == set(range(9)), "every opening draws"


@pytest.mark.parametrize(
    ("game", "params", "value"),
    [
        ("tic_tac_toe", {}, 0.0),
        ("misere", {"game": "tic_tac_toe()"}, 0.0),
        ("nim", {}, -1.0),  # 1 xor 3 xor 5 xor 7 is 0: the second player wins (Bouton 1901)
        ("nim", {"pile_sizes": "1;3;5;6"}, 1.0),
        ("hex", {"board_size": 3}, 1.0),  # the first player wins on every board (Nash)
    ],
)
def test_minimax_knows_the_values_of_small_games(game: str, params: dict[str, object], value: float) -> None:
    loaded = games.load(game, params)
    start = loaded.spiel.new_initial_state()
    (found,) = (each for position, each in solved(loaded).items() if position == f"0 0 {start}")
    assert found == value


def test_minimax_counts_the_boxes() -> None:
    """Of 2 by 2 boxes, as a table over the sets of lines drawn says, which knows nothing of OpenSpiel."""
    boxes = [(0, 2, 6, 7), (1, 3, 7, 8), (2, 4, 9, 10), (3, 5, 10, 11)]
    boxes = [sum(1 << line for line in box) for box in boxes]
    ahead = [0] * 4096
    for drawn in range(4094, -1, -1):
        futures = []
        for line in (1 << number for number in range(12)):
            if not drawn & line:
                closed = sum(box & ~(drawn | line) == 0 and box & line != 0 for box in boxes)
                futures.append(closed + ahead[drawn | line] if closed else -ahead[drawn | line])
        ahead[drawn] = max(futures)
    loaded = games.load("dots_and_boxes")
    expected = (ahead[0] > 0) - (ahead[0] < 0)
    assert solved(loaded)[f"0 0 {loaded.spiel.new_initial_state()}"] == expected


def test_minimax_takes_chance_into_account() -> None:
    """A die of two sides, where the 2 wins and the 1 passes: the first player wins 2 games of 3."""
    loaded = games.load("pig", {"winscore": 2, "diceoutcomes": 2, "horizon": 100})
    assert solved(loaded)[f"0 0 {loaded.spiel.new_initial_state()}"] == pytest.approx(1 / 3, abs=1e-6)


@pytest.mark.parametrize(
    ("game", "agent_wins_at_most"), [("tic_tac_toe", 0), ("connect_four", 1), ("breakthrough(rows=6,columns=6)", 1)]
)
def test_tree_search_beats_random_players(game: str, agent_wins_at_most: int) -> None:
    environment, rng = OpenSpielEnvironment(game_name=game, opponent_policy="mcts", mcts_simulations=300), Random(0)
    wins = 0
    for seed in range(20):
        observation = environment.reset(seed=seed)
        while not observation.done:
            observation = environment.step(OpenSpielAction(action_id=rng.choice(observation.legal_actions)))
        wins += (observation.reward or 0.0) > 0
    assert wins <= agent_wins_at_most


def test_more_simulations_play_better() -> None:
    def lost(simulations: int) -> int:
        environment = OpenSpielEnvironment(game_name="tic_tac_toe", opponent_policy="mcts", mcts_simulations=simulations)
        policy, losses = TacticalTicTacToePolicy(0), 0
        for seed in range(60):
            observation = environment.reset(seed=seed)
            while not observation.done:
                observation = environment.step(policy.act(observation))
            losses += observation.reward == 1.0
        return losses

    assert lost(1000) < lost(2)


def test_tree_search_answers_a_bet_by_the_card_it_holds_and_not_by_the_agents() -> None:
    """It calls with the king and folds the jack; with the queen it cannot know which is right."""
    environment = OpenSpielEnvironment(game_name="kuhn_poker", opponent_policy="mcts", mcts_simulations=400)
    answers: dict[tuple[int, float], int] = Counter()
    for seed in range(300):
        card = environment.reset(seed=seed).info_state[2:5].index(1.0)
        observation = environment.step(OpenSpielAction(action_id=1))
        answers[card, float(observation.reward or 0)] += 1
    assert answers[0, -2.0] > 0.25 * sum(answers[0, paid] for paid in (-2.0, 1.0)), "it calls a jack's bluff with the king"
    assert answers[2, 1.0] > 0.25 * sum(answers[2, paid] for paid in (2.0, 1.0)), "it folds the jack"
    called = {card: answers[card, paid] for card, paid in ((0, -2.0), (2, 2.0))}
    assert answers[1, 2.0] < 0.2 * answers[1, -2.0], "facing the queen it holds the jack, which folds, or the king, which calls"
    assert called[2] > 0, "with the queen it calls the king, which it would not if it saw it"


@pytest.mark.parametrize("game", sorted(RESAMPLED))
def test_tree_search_plays_games_that_hide_something_by_what_its_seat_sees(game: str) -> None:
    environment, rng = OpenSpielEnvironment(game_name=game, opponent_policy="mcts", mcts_simulations=2), Random(0)
    observation = environment.reset(seed=0)
    while not observation.done:
        observation = environment.step(OpenSpielAction(action_id=rng.choice(observation.legal_actions)))
    assert observation.reward is not None
    assert observation.legal_actions == []


@pytest.mark.long
def test_the_games_that_can_be_guessed_are_all_that_there_are() -> None:
    found = set()
    for kind in pyspiel.registered_games():
        if kind.information != pyspiel.GameType.Information.IMPERFECT_INFORMATION or not kind.default_loadable:
            continue
        if kind.dynamics != pyspiel.GameType.Dynamics.SEQUENTIAL or kind.short_name in ("bridge", "crossword", "hearts"):
            continue
        state, rng = pyspiel.load_game(kind.short_name).new_initial_state(), Random(0)
        while state.is_chance_node():
            state.apply_action(rng.choice(state.legal_actions()))
        try:
            state.resample_from_infostate(state.current_player(), rng.random)
        except pyspiel.SpielError:
            continue
        if state.get_game().num_players() > 1:
            found.add(kind.short_name)
    assert found == RESAMPLED


@pytest.mark.parametrize(("game", "policy"), [("connect_four", "mcts"), ("tic_tac_toe", "minimax"), ("leduc_poker", "mcts")])
def test_a_seed_decides_opponents_that_search(game: str, policy: str) -> None:
    def episode(seed: int) -> list[str]:
        environment, rng = OpenSpielEnvironment(game_name=game, agent_player=1, opponent_policy=policy), Random(0)
        observation = environment.reset(seed=seed)
        seen = [observation.model_dump_json()]
        while not observation.done:
            observation = environment.step(OpenSpielAction(action_id=rng.choice(observation.legal_actions)))
            seen.append(observation.model_dump_json())
        return seen

    assert episode(3) == episode(3)
    assert len({tuple(episode(seed)) for seed in range(8)}) > 1


def test_the_environment_variable_sets_the_simulations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSPIEL_OPPONENT_POLICY", "mcts")
    monkeypatch.setenv("OPENSPIEL_MCTS_SIMULATIONS", "0")
    with pytest.raises(ValueError, match="mcts_simulations must be 2 to 10000, not 0"):
        OpenSpielEnvironment(game_name="tic_tac_toe")
