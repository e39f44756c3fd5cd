"""The rules of the contract, one function each: it returns where the rule is kept.

Each is given a `Subject`, and raises `ContractBroken` or `DoesNotApply`; errors of the environment come through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ...errors import OpenEnvError
from ..subject import Subject
from ..verdict import ContractBroken, DoesNotApply, Finding, Verdict
from .actions import illegal_actions, legal_actions
from .description import metadata, rendering, types
from .episodes import after_the_end, endings, resetting, reward_range, rewards, state
from .seeds import global_randomness, seeding
from .sessions import closing, cross_talk, leaks, over_the_wire

Rule = Callable[[Subject], None]

RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        metadata,
        types,
        legal_actions,
        illegal_actions,
        resetting,
        state,
        endings,
        after_the_end,
        rewards,
        reward_range,
        rendering,
        seeding,
        global_randomness,
        over_the_wire,
        cross_talk,
        closing,
        leaks,
    )
}
"""All rules by name, from what is plain to what takes long."""


def examine(subject: Subject, names: list[str] | None = None) -> Iterator[Finding]:
    """Hold an environment against the rules, and yield what became of each.

    Args:
        subject: what is examined.
        names: which rules; None for all.
    """
    for name in RULES if names is None else names:
        try:
            RULES[name](subject)
        except DoesNotApply as reason:
            yield Finding(name, Verdict.SKIPPED, str(reason))
        except (ContractBroken, OpenEnvError) as error:
            yield Finding(name, Verdict.BROKEN, _in_a_line(error))
        else:
            yield Finding(name, Verdict.KEPT)


def _in_a_line(error: ContractBroken | OpenEnvError) -> str:
    """Return an error's message, after the name of the exception where the environment raised one."""
    kind = error.details.get("error_type") if isinstance(error, OpenEnvError) else None
    told = " ".join(str(error).split())
    return told if kind is None or told.startswith(f"{kind}:") else f"{kind}: {told}"


__all__ = ["RULES", "Rule", "examine"]
