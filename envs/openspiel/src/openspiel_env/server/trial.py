"""A game with unusual parameters is first played in a process of its own.

OpenSpiel checks its parameters in part only: some make it crash, run for ever or fill the memory, which in the server's
process would end every session. This file is also the program of that process, and imports nothing of the package.
"""

from __future__ import annotations

import functools
import json
import math
import random
import subprocess
import sys
from typing import Any

TIME_LIMIT_S = 10.0
"""How long loading a game and playing it once at random may take."""

MEMORY_LIMIT_MB = 256
"""How much memory that may take, the interpreter's included; enforced on Linux."""

MAX_TENSOR_VALUES = 1_000_000
"""Largest information state that is sent; parameters that ask for more are refused."""

MAX_ACTIONS = 1_000_000
"""Most actions that a game may have, and so the longest mask of legal ones."""

_REFUSED = 3


def refusal(loader: str, name: str, params: dict[str, Any]) -> str:
    """Return why this game cannot be played, in OpenSpiel's words where it has any; empty where it can.

    Args:
        loader: the function of pyspiel that makes the game.
        name: the game's short name.
        params: its parameters, as that function takes them.
    """
    try:
        _try(json.dumps([loader, name, params], sort_keys=True))
    except _Refused as refused:
        return str(refused)
    return ""


class _Refused(Exception):
    """The game cannot be played; says why."""


@functools.lru_cache(maxsize=1024)
def _try(question: str) -> None:
    """Return where the game plays, which is remembered; raise `_Refused` where not, which is not: time may have been short."""
    command = [sys.executable, "-P", __file__]
    try:
        done = subprocess.run(command, input=question, capture_output=True, text=True, timeout=TIME_LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        raise _Refused(f"a game at random takes more than {TIME_LIMIT_S:.0f} s") from None
    if done.returncode:
        raise _Refused(done.stdout if done.returncode == _REFUSED else "they crash OpenSpiel")


def tensor_of(kind: Any) -> str | None:
    """Return the method of a state that gives the tensor that is sent; None where the game's type names none."""
    if kind.provides_information_state_tensor:
        return "information_state_tensor"
    return "observation_tensor" if kind.provides_observation_tensor else None


class _TooLarge(Exception):
    """A game that would make messages too large to send."""


def _check_size(game: Any) -> None:
    tensor = tensor_of(game.get_type())
    shape = getattr(game, f"{tensor}_shape")() if tensor else [1]
    if min(shape, default=0) < 1 or math.prod(shape) > MAX_TENSOR_VALUES:
        raise _TooLarge(f"they give an information state of the shape {shape}, which must hold 1 to {MAX_TENSOR_VALUES} values")
    if game.num_distinct_actions() > MAX_ACTIONS:
        raise _TooLarge(f"they give {game.num_distinct_actions()} actions, more than {MAX_ACTIONS}")


def _play(loader: str, name: str, params: dict[str, Any]) -> None:
    import pyspiel

    game = getattr(pyspiel, loader)(params["data"]) if "data" in params else getattr(pyspiel, loader)(name, params)
    _check_size(game)
    kind, seats = game.get_type(), range(game.num_players())
    sights = [tensor_of(kind)] if tensor_of(kind) else []
    sights += ["observation_string"] if kind.provides_observation_string else []
    dynamics, rng = pyspiel.GameType.Dynamics, random.Random(0)
    state = game.new_initial_state()
    while not state.is_terminal():
        player = state.current_player()
        for sight in sights if player >= 0 else ():
            getattr(state, str(sight))(player)
        if player == pyspiel.PlayerId.CHANCE:
            actions, weights = zip(*state.chance_outcomes(), strict=True)
            state.apply_action(rng.choices(actions, weights)[0])
        elif player == pyspiel.PlayerId.SIMULTANEOUS:
            state.apply_actions([rng.choice(state.legal_actions(seat) or [0]) for seat in seats])
        elif kind.dynamics == dynamics.MEAN_FIELD and player == pyspiel.PlayerId.MEAN_FIELD:
            support = state.distribution_support()
            state.update_distribution([1 / len(support) for _ in support])
        else:
            state.apply_action(rng.choice(state.legal_actions()))


def _limit_memory() -> None:
    if sys.platform == "linux":
        import resource

        most = MEMORY_LIMIT_MB * 2**20
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _main() -> int:
    import pyspiel

    _limit_memory()
    try:
        _play(*json.load(sys.stdin))
    except MemoryError:
        print(f"they need more than {MEMORY_LIMIT_MB} MB of memory", end="")
        return _REFUSED
    except (pyspiel.SpielError, _TooLarge) as error:
        print(error, end="")
        return _REFUSED
    except (ArithmeticError, LookupError, RuntimeError, ValueError) as error:
        print(f"OpenSpiel makes no game of them ({error})", end="")
        return _REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(_main())
