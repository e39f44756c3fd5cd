"""The games that TextArena registers: which there are, and what keeps some of them from being played."""

from __future__ import annotations

import copy
import difflib
import functools
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import modules

VARIANTS = ("-raw", "-train")
"""Endings of ids that name a game again, with other wrappers around it."""

_JUDGED = ("Debate", "GuessWho", "ScenarioPlanning", "TwentyQuestions")
"""Games in which language models behind OpenRouter answer, or judge who wins: what a game pays would hang on the network."""


class GameUnavailable(ValueError):
    """A game that TextArena registers and that cannot be played here; the message says why."""


def env_ids() -> list[str]:
    """Return the ids of TextArena's games in its own order, its raw and train variants aside."""
    return [name for name in registry() if not name.endswith(VARIANTS)]


@functools.cache
def registry() -> Mapping[str, Any]:
    """Return TextArena's specifications by id, variants included."""
    modules.load("textarena")
    specs: Mapping[str, Any] = modules.load("textarena.envs.registration").ENV_REGISTRY
    return specs


def check_id(env_id: Any) -> str:
    """Return an id that comes from a user, and may be anything.

    Raises:
        ValueError: TextArena registers no such game.
    """
    known = registry()
    if isinstance(env_id, str) and env_id in known:
        return env_id
    near = difflib.get_close_matches(str(env_id)[:60], known, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"TextArena has {len(known)} ids, such as Wordle-v0"
    raise ValueError(f"unknown game {env_id!r:.60}: {hint}")


def create(env_id: str, env_kwargs: Mapping[str, Any]) -> Any:
    """Return a new game of TextArena's, in its wrappers. What it draws comes from the episode's generators.

    Args:
        env_id: one that `check_id` let pass.
        env_kwargs: arguments of the game's class over those that TextArena registers.

    Raises:
        GameUnavailable: the game does not run here.
        Exception: whatever the game's class raises on these arguments.
    """
    spec = registry()[env_id]
    kwargs = {**copy.deepcopy(spec.kwargs), **copy.deepcopy(dict(env_kwargs))}
    game = game_class(env_id)(**kwargs)
    game.env_id = env_id
    for wrapper in spec.default_wrappers or ():
        game = wrapper(game)
    return game


@functools.cache
def game_class(env_id: str) -> Any:
    """Return the class of a game.

    Raises:
        GameUnavailable: the game does not run here.
    """
    module_name, _, class_name = registry()[env_id].entry_point.partition(":")
    if module_name.split(".")[2] in _JUDGED:
        raise GameUnavailable(f"{env_id} is judged or answered by language models behind OpenRouter, over the network")
    try:
        return getattr(modules.load(module_name), class_name)
    except SyntaxError:
        version = ".".join(map(str, sys.version_info[:2]))
        raise GameUnavailable(f"{env_id} does not parse on Python {version}") from None
    except ModuleNotFoundError as error:
        raise GameUnavailable(f"{env_id} wants the module {error.name}, which is not installed") from None


def lacks_file(env_id: str, error: OSError) -> GameUnavailable:
    """Return the refusal of a game whose files TextArena's distribution does not hold."""
    missing = Path(str(error.filename or str(error).rpartition(": ")[2])).name
    return GameUnavailable(f"{env_id} wants the file {missing}, which TextArena's distribution lacks")


def one_line(error: Exception) -> str:
    """Return what a game says went wrong, in one line of at most 200 characters."""
    return (" ".join(str(error).split()) or type(error).__name__)[:200]
