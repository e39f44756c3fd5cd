"""Mends of TextArena 0.7.4, each put on one game in progress, for what would break or hang it.

- `set_invalid_move(reward, reason)`: four puzzles (Countdown, Cryptarithm, Slitherlink, ThreeCardMonte) give the two in the
  wrong order, so that the player would be paid a sentence.
- `add_observation` without a kind of message: CharacterConclave, which else breaks on every message.
- `add_observation` of a player's message without its sender: Wordle and most puzzles, which else give it out as the game's.
- `set_winner(player_ids=…)` for one player: Tak, which else breaks when it is won.
- `check_turn_limit` where there is none: DontSayIt-v0-unlimited, which else breaks on every message.
- `set_winners` in a game for one: FifteenPuzzle, which else breaks when it is solved.
- words in the order of a set, which differs from process to process: WordChains, where a seed else fixes nothing.
- `step` of games with elimination looks for ever for the next player when the last one is out.
"""

from __future__ import annotations

from types import MethodType
from typing import Any

from . import modules


class NobodyLeft(Exception):
    """Every player is out, and the game has not ended."""


NEVER_ENDS_ABOVE = {"BriscolaEnv": 2, "GolfEnv": 2}
"""Games that take more players than with whom they can end: they then ask for a `set_outcome` that is not there."""


def put_in_order(game: Any) -> None:
    """Mend a game that has been made and not yet set up."""
    if type(game).__name__ == "WordChainsEnv":
        game.word_list.sort()


def mend(state: Any) -> None:
    """Mend the state of a game that has just been set up."""
    if hasattr(state, "set_winner"):
        state.set_winner = MethodType(_set_winner, state)
    if not hasattr(state, "set_winners"):
        state.set_winners = MethodType(_set_winners, state)
    state.add_observation = MethodType(_add_observation, state)
    state.set_invalid_move = MethodType(_set_invalid_move, state)
    state.step = MethodType(_step, state)
    state.check_turn_limit = MethodType(_check_turn_limit, state)


def _add_observation(state: Any, message: Any, observation_type: Any = None, *args: Any, **kwargs: Any) -> None:
    if observation_type is None:
        kinds = modules.load("textarena.core").ObservationType
        observation_type = kinds.GAME_MESSAGE if kwargs.get("from_id", -1) < 0 else kinds.PLAYER_ACTION
    if getattr(observation_type, "name", "") == "PLAYER_ACTION" and not args:
        kwargs.setdefault("from_id", state.current_player_id)
    type(state).add_observation(state, message, observation_type, *args, **kwargs)


def _set_invalid_move(state: Any, *args: Any, **kwargs: Any) -> Any:
    if len(args) == 2 and isinstance(args[1], str):
        reward, reason = args
        args, kwargs = (), {"reward": reward, "reason": reason, **kwargs}
    return type(state).set_invalid_move(state, *args, **kwargs)


def _check_turn_limit(state: Any) -> bool:
    return state.max_turns is not None and bool(type(state).check_turn_limit(state))


def _set_winner(state: Any, *args: Any, **kwargs: Any) -> Any:
    if "player_ids" in kwargs:
        kwargs["player_id"] = kwargs.pop("player_ids")
    return type(state).set_winner(state, *args, **kwargs)


def _set_winners(state: Any, player_ids: list[int], reason: str) -> None:
    state.set_outcome(reward=1, reason=reason)


def _step(state: Any, *args: Any, **kwargs: Any) -> Any:
    out = getattr(state, "elimination_order", ())
    if not state.done and out and set(out) >= set(range(state.num_players)):
        raise NobodyLeft
    return type(state).step(state, *args, **kwargs)
