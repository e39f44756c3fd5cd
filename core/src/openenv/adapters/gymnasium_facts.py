"""What Gymnasium tells of one of its environments, found out by making and playing it."""

from __future__ import annotations

import inspect
import math
import os
import re
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import metadata, packages_distributions, version
from typing import Any

import gymnasium
from gymnasium import Space, error

from ..contract.environment import NoEpisodeError
from ..errors import OpenEnvError, UsageError
from .gymnasium import GymnasiumEnv, environment_of, sampled_actions
from .gymnasium_spaces import ACTION

PICTURES = ("rgb_array", "ansi")
"""Render modes that make a picture which can travel, the best first."""

TRIED_STEPS = 200
TRIED_S = 5.0

EXTRAS = {"phys2d": "jax", "tabular": "jax"}
"""Gymnasium's extras whose names are not those of its folders."""

DRIVERS = ("SDL_VIDEODRIVER", "SDL_AUDIODRIVER")
"""Environment variables that say by which screen and loudspeaker pygame shows and sounds."""

_COLOUR = re.compile(r"\x1b\[\d+m")


@dataclass(frozen=True)
class GymnasiumFacts:
    """What is known of an environment.

    Attributes:
        name: its id, with a version, and the module that registers it where one was named: `module:Env-v0`.
        arguments: what `gymnasium.make` is given beside the id, the render mode included.
        further: the other arguments that it takes, as they stand in a signature.
        action, observation: its spaces.
        example: an action, as plain data.
        render_modes: those that it has.
        longest: steps after which an episode is cut off; None: never.
        rewards: the least and the greatest reward of a step; None where Gymnasium does not say.
        seen_rewards: the least and the greatest of some random steps.
        threshold: the return from which Gymnasium calls it solved, or None.
        is_seeded: a seed decides all that is random.
        requirements: what its server needs.
        of_nobody: modules that belong to no installed distribution, so that no requirement can name it.
        notes: what Gymnasium remarked when it was made.
    """

    name: str
    arguments: dict[str, Any]
    further: str
    action: Space[Any]
    observation: Space[Any]
    example: Any
    render_modes: list[str]
    longest: int | None
    rewards: tuple[float, float] | None
    seen_rewards: tuple[float, float]
    threshold: float | None
    is_seeded: bool
    requirements: list[str]
    of_nobody: list[str]
    notes: list[str]


def gymnasium_facts(name: str, arguments: Mapping[str, Any]) -> GymnasiumFacts:
    """Make an environment, play some random steps, and return what is known of it.

    Args:
        name: its id, `CartPole-v1`; `module:Env-v0` imports the module first.
        arguments: for `gymnasium.make`, beside the id.

    Raises:
        UsageError: there is no such environment, something that it needs is not installed, it does not take these arguments,
            does not play, or has a space without a typed model. The message says what to do.
    """
    with warnings.catch_warnings(record=True) as remarks:
        warnings.simplefilter("always")
        given = dict(arguments)
        with _told_in_one_line(name, given):
            env = gymnasium.make(name, **given)
            render_modes = list(env.metadata.get("render_modes") or ())
            env.close()
        if given.get("render_mode") not in (None, *render_modes):
            raise UsageError(
                f"{name} has no render_mode {given['render_mode']!r}: choose {' or '.join(render_modes) or 'none'}"
            )
        mode = next((mode for mode in PICTURES if mode in render_modes), None)
        if mode is not None:
            given.setdefault("render_mode", mode)
        spec = env.spec
        notes = list(dict.fromkeys(_COLOUR.sub("", str(remark.message)) for remark in remarks))
    assert spec is not None
    module = f"{name.partition(':')[0]}:" if ":" in name else ""
    named = f"{module}{spec.id}"
    action, observation = env.action_space, env.observation_space
    with warnings.catch_warnings(), _told_in_one_line(named, given), _without_a_screen():
        warnings.simplefilter("ignore")
        seen_rewards = _played(named, given)
        example = sampled_actions(env, 1)[0][ACTION]
    requirements, of_nobody = _requirements(named, env)
    return GymnasiumFacts(
        name=named,
        arguments=given,
        further=_further(env, given),
        action=action,
        observation=observation,
        example=example,
        render_modes=render_modes,
        longest=spec.max_episode_steps,
        rewards=_declared_rewards(env, seen_rewards),
        seen_rewards=seen_rewards,
        threshold=spec.reward_threshold,
        is_seeded=not spec.nondeterministic,
        requirements=requirements,
        of_nobody=of_nobody,
        notes=[note.removeprefix("WARN: ") for note in notes if note.startswith("WARN: ")],
    )


@contextmanager
def _told_in_one_line(name: str, arguments: Mapping[str, Any]) -> Iterator[None]:
    """Turn what goes wrong in Gymnasium, or in one of its environments, into an error that says what to do."""
    try:
        yield
    except OpenEnvError:
        raise
    except error.DependencyNotInstalled as missing:
        raise UsageError(f"{name} needs what is not installed: {_line(missing)}") from None
    except error.Error as wrong:
        raise UsageError(f"Gymnasium has no {name}: {_line(wrong)}") from None
    except ImportError as missing:
        hint = "" if "pip install" in str(missing) else f": {_what_to_install(name, missing.name)}"
        raise UsageError(f"{name} needs what is not installed: {_line(missing).rstrip('.')}{hint}") from None
    except TypeError as wrong:
        raise UsageError(f"{name} cannot be made with {dict(arguments)}: {_line(wrong)}; see --env-kwargs") from None
    except Exception as wrong:
        raise UsageError(f"{name} does not play: {type(wrong).__name__}: {_line(wrong)}") from None


def _what_to_install(name: str, module: str | None) -> str:
    spec = gymnasium.registry.get(name)
    entry = str(spec.entry_point) if spec is not None else ""
    if entry.startswith("gymnasium.envs."):
        return f"pip install '{_of_gymnasium(entry)}'"
    return f"install the package that brings {module or name.partition(':')[0]}"


@contextmanager
def _without_a_screen() -> Iterator[None]:
    """Have pygame draw without a screen and play without a loudspeaker; it remarks on standard error where there is neither."""
    added = [name for name in DRIVERS if name not in os.environ]
    os.environ.update(dict.fromkeys(added, "dummy"))
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


def _line(told: BaseException) -> str:
    text = " ".join(_COLOUR.sub("", str(told)).split())
    return text if len(text) <= 300 else f"{text[:299]}…"


def _played(name: str, arguments: Mapping[str, Any]) -> tuple[float, float]:
    """Play random steps, so that what does not work is told now; return the least and the greatest reward."""

    def make() -> GymnasiumEnv:
        return gymnasium.make(name, **arguments)

    tried: Any = environment_of(make, "Tried")
    environment = tried()
    own = make()
    try:
        actions = sampled_actions(own, TRIED_STEPS)
        environment.reset(seed=0)
        if arguments.get("render_mode") in PICTURES:
            environment.render()
        return _rewards(environment, actions)
    finally:
        own.close()
        environment.close()


def _rewards(environment: Any, actions: list[dict[str, Any]]) -> tuple[float, float]:
    model = type(environment).__orig_bases__[0].__args__[0]
    deadline, rewards = time.monotonic() + TRIED_S, []
    for action in actions:
        try:
            seen = environment.step(model(**action))
        except NoEpisodeError:
            environment.reset()
            seen = environment.step(model(**action))
        rewards.append(float(seen.reward))
        if time.monotonic() > deadline:
            break
    return min(rewards), max(rewards)


def _declared_rewards(env: GymnasiumEnv, seen: tuple[float, float]) -> tuple[float, float] | None:
    """Return the range of rewards that an environment tells, as older ones do, unless it was seen to be wrong."""
    declared = getattr(env.unwrapped, "reward_range", None)
    if declared is None or tuple(declared) == (-math.inf, math.inf):
        return None
    least, greatest = (float(bound) for bound in declared)
    return (least, greatest) if least <= seen[0] and seen[1] <= greatest else None


def _requirements(name: str, env: GymnasiumEnv) -> tuple[list[str], list[str]]:
    """Return what installs an environment, and the modules that nothing installed here brings."""
    known = packages_distributions()
    own = type(env.unwrapped).__module__
    tops = list(dict.fromkeys([own.partition(".")[0], *([name.partition(":")[0].partition(".")[0]] if ":" in name else [])]))
    found, of_nobody = [_of_gymnasium(own)], []
    for top in tops:
        if top == "gymnasium":
            continue
        if top in known:
            found += [f"{distribution}>={version(distribution)}" for distribution in dict.fromkeys(known[top])]
        else:
            of_nobody.append(top)
    return list(dict.fromkeys(found)), of_nobody


def _of_gymnasium(module: str) -> str:
    """Return Gymnasium as a requirement, with the extra that a module of its own needs."""
    parts = module.split(".")
    folder = parts[2] if parts[:2] == ["gymnasium", "envs"] else ""
    extra = EXTRAS.get(folder, folder.replace("_", "-"))
    has_it = extra in (metadata("gymnasium").get_all("Provides-Extra") or ())
    major, minor = version("gymnasium").split(".")[:2]
    return f"gymnasium{f'[{extra}]' if has_it else ''}>={major}.{minor},<{int(major) + 1}"


def _further(env: GymnasiumEnv, given: Mapping[str, Any]) -> str:
    """Return the arguments that the environment's class takes and was not given."""
    try:
        parameters = inspect.signature(type(env.unwrapped)).parameters.values()
    except (TypeError, ValueError):
        return ""
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    shown = (one.replace(annotation=inspect.Parameter.empty) for one in parameters if one.kind in by_name)
    return ", ".join(str(one) for one in shown if one.name not in given and one.name != "render_mode")
