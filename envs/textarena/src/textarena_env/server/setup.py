"""What a caller chooses for an episode, checked."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .catalogue import check_id
from .word_data import check_source

OPPONENTS = ("random", "none")
"""random: the server plays the other seats; none: the client plays every seat."""

MAX_PLAYERS = 15
KWARG_PREFIX = "TEXTARENA_KW_"


@dataclass(frozen=True)
class Setup:
    """The choices of an episode; see `environment` for their meanings."""

    env_id: str = "Wordle-v0"
    num_players: int | None = None
    agent_player: int = 0
    opponent_policy: str = "random"
    max_turns: int | None = None
    env_kwargs: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_id(self.env_id)
        if self.num_players is not None:
            _check_int("num_players", self.num_players, 1, MAX_PLAYERS)
        _check_int("agent_player", self.agent_player, 0, MAX_PLAYERS - 1)
        if self.max_turns is not None:
            _check_int("max_turns", self.max_turns, 1, None)
        _check_choice("opponent policy", self.opponent_policy)
        _check_names("env_kwargs", self.env_kwargs)


def from_environment_variables() -> dict[str, Any]:
    """Return the choices that the variables TEXTARENA_… make, by the names of `Setup`.

    Raises:
        ValueError: a variable holds what it cannot.
    """
    found: dict[str, Any] = {}
    for name in ("env_id", "opponent_policy"):
        if value := os.environ.get(f"TEXTARENA_{name.upper()}"):
            found[name] = value
    for name in ("num_players", "agent_player", "max_turns"):
        variable = f"TEXTARENA_{name.upper()}"
        if value := os.environ.get(variable):
            found[name] = _whole_number(variable, value)
    kwargs = {
        key.removeprefix(KWARG_PREFIX).lower(): _literal(value)
        for key, value in os.environ.items()
        if key.startswith(KWARG_PREFIX)
    }
    if kwargs:
        found["env_kwargs"] = kwargs
    check_source()
    return found


def _whole_number(name: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise ValueError(f"{name}={value!r:.60} is not a whole number") from None


def _literal(value: str) -> Any:
    """Read a value as a number or a truth value where it is one, else as text."""
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    for kind in (int, float):
        try:
            number = kind(value)
        except ValueError:
            continue
        return number if math.isfinite(number) else value
    return value


def _check_int(name: str, value: Any, least: int, most: int | None) -> None:
    if type(value) is not int or value < least or (most is not None and value > most):
        bounds = f"{least} or more" if most is None else f"{least} to {most}"
        raise ValueError(f"{name} must be a whole number, {bounds}, not {value!r:.60}")


def _check_choice(name: str, value: Any) -> None:
    if not isinstance(value, str) or value not in OPPONENTS:
        raise ValueError(f"unknown {name} {value!r:.60}: choose {', '.join(OPPONENTS)}")


def _check_names(name: str, value: Any) -> None:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise ValueError(f"{name} must map names to values, not {value!r:.60}")
