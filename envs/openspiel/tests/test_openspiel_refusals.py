"""What is refused, in which words, and that the game goes on from where it was."""

from __future__ import annotations

from typing import Any

import pytest
from serving import running

from openenv import NoEpisodeError
from openenv.errors import ExecutionError
from openenv.server import create_app
from openspiel_env import OpenSpielAction, OpenSpielEnv
from openspiel_env.server.environment import OpenSpielEnvironment


def test_an_illegal_move_changes_nothing() -> None:
    disturbed, calm = (OpenSpielEnvironment(game_name="tic_tac_toe") for _ in range(2))
    disturbed.reset(seed=3)
    observation = calm.reset(seed=3)
    taken: list[int] = []
    for turn in range(2):
        for illegal in (9999, -1, 9, *taken):
            with pytest.raises(ValueError, match=rf"action {illegal} is not legal now; legal are \["):
                disturbed.step(OpenSpielAction(action_id=illegal))
        assert disturbed.render() == calm.render()
        assert disturbed.state.step_count == turn
        taken.append(observation.legal_actions[0])
        observation = calm.step(OpenSpielAction(action_id=taken[-1]))
        assert disturbed.step(OpenSpielAction(action_id=taken[-1])) == observation


def test_a_move_meant_for_another_game_is_refused() -> None:
    environment = OpenSpielEnvironment(game_params={"rows": 4})
    environment.reset()
    with pytest.raises(ValueError, match="meant for '2048', but 'catch' is played"):
        environment.step(OpenSpielAction(action_id=0, game_name="2048"))
    for params in ({"rows": 5}, {"players": 2}):
        with pytest.raises(ValueError, match="meant for catch with"):
            environment.step(OpenSpielAction(action_id=0, game_params=params))
    for wordy in (OpenSpielAction(action_id=0, game_name=LONG), OpenSpielAction(action_id=0, game_params={LONG: LONG})):
        with pytest.raises(ValueError, match=r"meant for|unknown game") as caught:
            environment.step(wordy)
        assert len(str(caught.value)) < 500
    with pytest.raises(ValueError, match="not legal now") as caught:
        environment.step(OpenSpielAction(action_id=10**4000))
    assert len(str(caught.value)) < 500
    assert environment.state.step_count == 0
    environment.step(OpenSpielAction(action_id=0, game_name="catch", game_params={"rows": 4, "columns": 5}))
    assert environment.state.step_count == 1


def test_there_must_be_a_game_to_move_in() -> None:
    environment = OpenSpielEnvironment()
    with pytest.raises(NoEpisodeError, match=r"call reset\(\) before step\(\)"):
        environment.step(OpenSpielAction(action_id=1))
    with pytest.raises(NoEpisodeError, match=r"call reset\(\) before render\(\)"):
        environment.render()
    observation = environment.reset()
    while not observation.done:
        observation = environment.step(OpenSpielAction(action_id=1))
    steps = environment.state.step_count
    with pytest.raises(NoEpisodeError, match="the game is over"):
        environment.step(OpenSpielAction(action_id=1))
    assert environment.state.step_count == steps


LONG = "x" * 10_000

WRONG_OPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"game_name": "tic_tac_to"}, "unknown game 'tic_tac_to': did you mean tic_tac_toe"),
    ({"game_name": "Connect Four"}, "unknown game 'Connect Four': did you mean connect_four"),
    ({"game_name": "zzzz"}, "unknown game 'zzzz'"),
    ({"game_name": 2048}, "unknown game 2048"),
    ({"game_params": {"depth": 3}}, "catch has no parameter 'depth'; it takes: columns, rows"),
    ({"game_params": {"rows": "many"}}, "catch's parameter 'rows' must be of the type int, not 'many'"),
    ({"game_params": {"rows": 6.0}}, "catch's parameter 'rows' must be of the type int, not 6.0"),
    ({"game_params": {"rows": True}}, "catch's parameter 'rows' must be of the type int, not True"),
    ({"game_params": {"rows": 10**12}}, "catch's parameter 'rows' must be of the type int"),
    ({"game_params": {"rows": 0}}, r"information state of the shape \[0, 5\]"),
    ({"game_params": {"columns": -3}}, r"information state of the shape \[10, -3\]"),
    ({"game_params": {"rows": 10**6}}, "must hold 1 to 1000000 values"),
    ({"game_params": ["rows"]}, "game_params must map names to values"),
    ({"game_name": "kuhn_poker", "game_params": {"players": 99}}, "kuhn_poker cannot be played with .*max_num_players = 10$"),
    ({"game_name": "tic_tac_toe", "agent_player": 2}, "tic_tac_toe, which has seats 0 to 1, not 2"),
    ({"agent_player": 1}, "catch, which has only seat 0, not 1"),
    ({"agent_player": "0"}, "only seat 0, not '0'"),
    ({"agent_player": False}, "only seat 0, not False"),
    ({"opponent_policy": "clever"}, "unknown opponent policy 'clever': choose random, first, last, mcts, minimax, none"),
    ({"opponent_policy": ["first"]}, "unknown opponent policy"),
    ({"mcts_simulations": 0}, "mcts_simulations must be 2 to 10000, not 0"),
    ({"mcts_simulations": 5.0}, "mcts_simulations must be 2 to 10000, not 5.0"),
    ({"mcts_simulations": 10**6}, "mcts_simulations must be 2 to 10000"),
    ({"game_name": "goofspiel", "opponent_policy": "mcts"}, "mcts does not play goofspiel: it needs players that take turns"),
    ({"game_name": "dark_hex", "opponent_policy": "mcts"}, "mcts does not play dark_hex: .*to look would be to cheat"),
    ({"game_name": "bridge", "opponent_policy": "mcts"}, "mcts does not play bridge"),
    ({"game_name": "hanabi", "opponent_policy": "mcts"}, "mcts does not play hanabi: it needs rewards that come at the end"),
    ({"game_name": "tarok", "opponent_policy": "mcts"}, "mcts does not play tarok: the game throws dice of its own"),
    ({"game_name": "chess", "opponent_policy": "minimax"}, "more than 100000 positions; mcts plays large games"),
    ({"game_name": "kuhn_poker", "opponent_policy": "minimax"}, "minimax does not play kuhn_poker: it is for two players"),
    ({"game_name": "mfg_garnet", "opponent_policy": "none"}, "whose population plays random, first, last, not none"),
    ({"game_name": "go(board_size=9"}, "does not read as a game: Missing closing bracket"),
    ({"game_name": "hex(board_size=3,board_size=4)"}, "says twice what 'board_size' is"),
    ({"game_name": "hex(board_size=3, board_size=4)"}, "says twice what 'board_size' is"),
    ({"game_name": "hex(board_size=3,name=go)"}, "says twice what 'name' is"),
    ({"game_name": "misere", "game_params": {"game": "hex(board_size=3,board_size=3)"}}, "says twice what 'board_size' is"),
    ({"game_name": "hex(board_size=3)(board_size=4)"}, "does not read as a game: write its name, and all else in brackets"),
    ({"game_name": "add_noise"}, "Missing parameter epsilon; it takes: epsilon, game, seed"),
    ({"game_name": "misere", "game_params": {"game": "chees()"}}, "unknown game 'chees': did you mean chess"),
    ({"game_name": "misere", "game_params": {"game": 3}}, "'game' must be a game, such as 'kuhn_poker"),
    ({"game_name": "misere", "game_params": {"game": "misere(game=misere(game=misere(game=misere(game=go()))))"}}, "4 deep"),
    ({"game_name": "efg_game"}, "takes its description as the parameter 'data'"),
    ({"game_name": "efg_game", "game_params": {"data": "not a game"}}, "efg_game cannot be played with .* not a game"),
    ({"game_name": "hanabi", "game_params": {"players": 0}}, "they crash OpenSpiel"),
    ({"game_name": "blotto", "game_params": {"fields": 1000}}, "more than 256 MB of memory"),
    ({"game_name": "dark_chess", "game_params": {"fen": "x"}}, "must be a position in FEN on a board of 8 rows, not 'x'"),
    ({"game_name": "rbc", "game_params": {"fen": "8/8/8/8/8/8/8/k7 w - - 0 1"}}, "must be a position in FEN"),
    ({"game_name": "crossword", "game_params": {"puzzles_root": "/etc"}}, "names a file of the server's machine"),
    ({"game_name": "efg_game", "game_params": {"filename": "/etc/hostname"}}, "names a file of the server's machine"),
    ({"game_name": "misere", "game_params": {"game": {"name": "efg_game", "filename": "x"}}}, "names a file"),
    ({"game_name": LONG}, "unknown game 'xxx"),
    ({"game_name": f"hex({LONG}=3,{LONG}=4)"}, "says twice what 'xxx"),
    ({"game_params": [LONG]}, "game_params must map names to values, not"),
    ({"game_params": {LONG: 1}}, "catch has no parameter 'xxx.*; it takes: columns, rows"),
    ({"game_params": {f"{LONG}file": 1}}, "names a file of the server's machine"),
    ({"agent_player": LONG}, "only seat 0, not 'xxx"),
]


@pytest.mark.parametrize(("options", "message"), WRONG_OPTIONS, ids=lambda value: str(value)[:50])
def test_a_reset_that_cannot_be_done_leaves_the_game_as_it_is(options: dict[str, Any], message: str) -> None:
    environment, undisturbed = OpenSpielEnvironment(), OpenSpielEnvironment()
    for each in (environment, undisturbed):
        each.reset(seed=1, episode_id="standing")
        each.step(OpenSpielAction(action_id=0))
    with pytest.raises(ValueError, match=message) as caught:
        environment.reset(**options)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
    assert environment.state == undisturbed.state
    assert environment.step(OpenSpielAction(action_id=2)) == undisturbed.step(OpenSpielAction(action_id=2))


def test_a_server_told_to_play_what_it_cannot_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="unknown game 'cathc': did you mean catch"):
        OpenSpielEnvironment(game_name="cathc")
    with pytest.raises(ValueError, match="only seat 0, not 3"):
        OpenSpielEnvironment(agent_player=3)
    with pytest.raises(ValueError, match="unknown opponent policy"):
        OpenSpielEnvironment(opponent_policy="clever")
    monkeypatch.setenv("OPENSPIEL_AGENT_PLAYER", "left")
    with pytest.raises(ValueError, match="OPENSPIEL_AGENT_PLAYER='left' is not a whole number"):
        OpenSpielEnvironment()


def test_parameters_that_crash_openspiel_do_not_reach_the_server() -> None:
    with (
        running(create_app(OpenSpielEnvironment, env_name="openspiel")) as url,
        OpenSpielEnv(base_url=url).sync() as calm,
        OpenSpielEnv(base_url=url).sync() as wild,
    ):
        calm.reset(seed=0, game_name="tic_tac_toe")
        for game, params in (("hanabi", {"players": 0}), ("universal_poker", {"numRanks": 0}), ("y", {"board_size": -1})):
            with pytest.raises(ExecutionError, match=r"they crash OpenSpiel|must hold 1 to 1000000 values"):
                wild.reset(game_name=game, game_params=params)
        assert calm.step(OpenSpielAction(action_id=4)).observation.current_player_id == 0


@pytest.mark.long
def test_parameters_that_never_end_are_given_up() -> None:
    with pytest.raises(ValueError, match="a game at random takes more than 10 s"):
        OpenSpielEnvironment(game_name="negotiation", game_params={"num_items": 0})


def test_a_position_can_be_given() -> None:
    environment = OpenSpielEnvironment(game_name="kriegspiel", game_params={"fen": "4k3/8/8/8/8/8/4P3/4K3 w - - 0 1"})
    assert len(environment.reset(seed=0).legal_actions) > 3


def test_older_clients_name_catch_whatever_they_play() -> None:
    environment = OpenSpielEnvironment(game_name="tic_tac_toe")
    environment.reset()
    environment.step(OpenSpielAction(action_id=4, game_name="catch"))
    assert environment.state.step_count == 1
