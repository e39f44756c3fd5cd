"""A folder of an environment's own around one of Gymnasium's: what `openenv init --from-gymnasium` writes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import MissingExtra, UsageError
from ..hub.names import environment_name
from ..hub.scaffold import core_requirement, free_folder, requirements, write

try:
    from gymnasium import Space, spaces
except ImportError as error:
    raise MissingExtra(f"{error}: Gymnasium's environments need `pip install 'openenv-core[gym]'`") from None

from .gymnasium_facts import PICTURES, GymnasiumFacts, gymnasium_facts
from .gymnasium_models import models_source, told
from .gymnasium_spaces import OBSERVED, typed_observation
from .python_source import call, literal, statement

TEMPLATE = "gymnasium"
NUMPY = "numpy>=1.26,<3"
ARRAYS = spaces.Box | spaces.MultiDiscrete | spaces.MultiBinary


def gymnasium_folder(name: str, parent: Path, env_id: str, arguments: Mapping[str, Any]) -> tuple[Path, GymnasiumFacts]:
    """Write a new environment's folder around one of Gymnasium's, and return its path and what is known of that.

    Args:
        name: what the environment is called: see `environment_name`.
        parent: the folder to write into; made where there is none.
        env_id: Gymnasium's id.
        arguments: for `gymnasium.make`, beside the id.

    Raises:
        UsageError: as `scaffold` and `gymnasium_facts`; nothing is written then.
    """
    names = environment_name(name)
    target = free_folder(names, parent)
    if not all(argument.isidentifier() for argument in arguments):
        raise UsageError(f"arguments of an environment are named as Python's are, unlike one of {', '.join(arguments)}")
    facts = gymnasium_facts(env_id, arguments)
    models = models_source(facts.action, facts.observation, names.class_prefix, f"{facts.name} of Gymnasium")
    needs_numpy = [NUMPY] if "np.ndarray" in models else []
    further = {
        "models": models,
        "requires": requirements(core_requirement(), *needs_numpy),
        "serves": requirements(core_requirement("gym"), *facts.requirements),
        **_code(facts),
        **{place: text.replace("|", "\\|") for place, text in _readme(facts).items()},
    }
    return write(TEMPLATE, names, target, further), facts


def _code(facts: GymnasiumFacts) -> dict[str, str]:
    """Return what stands in the environment and its tests."""
    made = call("gymnasium.make", literal(facts.name), **facts.arguments)
    compared = [f"            assert {line}\n" for line in _compared(facts.observation)]
    has_picture = facts.arguments.get("render_mode") in PICTURES
    return {
        "env_id": facts.name,
        "make": statement("return ", made, "    "),
        "reward_range": "" if facts.rewards is None else f"\n    REWARD_RANGE = {_range(facts.rewards)}",
        "compared": "".join(compared),
        "seen": "seen" if compared else "_",
        "numpy": "\nimport numpy as np" if any("np." in line for line in compared) else "",
        "picture_test": '\n        assert env.render()["text/plain"]' if has_picture else "",
    }


def _readme(facts: GymnasiumFacts) -> dict[str, str]:
    """Return what stands in the table of facts."""
    observed = typed_observation(facts.observation, "Observation")
    least, greatest = facts.seen_rewards
    seen = f"{least:g} in each of some random steps" if least == greatest else f"{least:g} to {greatest:g} in some random steps"
    declared = "" if facts.rewards is None else f"{facts.rewards[0]:g} to {facts.rewards[1]:g} by its own word, "
    mode, modes = facts.arguments.get("render_mode"), ", ".join(facts.render_modes)
    picture = {"rgb_array": "PNG, with a caption as text", "ansi": "text"}.get(str(mode), "none")
    return {
        "action_told": told(facts.action),
        "observation_fields": ", ".join(observed) if isinstance(observed, dict) else OBSERVED,
        "observation_told": told(facts.observation),
        "reward_told": declared
        + seen
        + ("" if facts.threshold is None else f"; solved, Gymnasium says, at a return of {facts.threshold:g}"),
        "truncated_told": "never" if facts.longest is None else f"after {facts.longest} steps",
        "seeds_told": "" if facts.is_seeded else "; Gymnasium says that it does not decide all that is random here",
        "made_by": str(call("gymnasium.make", literal(facts.name), **facts.arguments)),
        "options_told": f"it takes further {facts.further}" if facts.further else "it takes no further arguments",
        "picture_told": f"{picture}; Gymnasium's render modes are {modes or 'none'}",
        "example": str(literal(facts.example)),
    }


def _compared(space: Space[Any]) -> list[str]:
    """Return what can be asserted in one line of each field that is seen: it is what Gymnasium's `seen` holds."""
    fields = typed_observation(space, "Observation")
    if not isinstance(fields, dict) or not isinstance(space, spaces.Dict):
        return _equal(space, f"result.observation.{OBSERVED}", "seen")
    return [
        line for key, inner in space.spaces.items() for line in _equal(inner, f"result.observation.{key}", f'seen["{key}"]')
    ]


def _equal(space: Space[Any], here: str, there: str) -> list[str]:
    if isinstance(space, ARRAYS):
        return [f"np.array_equal({here}, {there}, equal_nan=True)"] if space.shape else [f"{here} == {there}"]
    if isinstance(space, spaces.Discrete | spaces.Text):
        return [f"{here} == {there}"]
    if isinstance(space, spaces.Tuple) and all(isinstance(part, spaces.Discrete) for part in space.spaces):
        return [f"{here} == tuple({there})"]
    return []


def _range(rewards: tuple[float, float]) -> str:
    bounds = (repr(bound) if abs(bound) < float("inf") else "None" for bound in rewards)
    return f"({', '.join(bounds)})"
