"""The contract that every environment keeps, as rules to run and as a class of tests to inherit.

Needs the `[testing]` extra.
"""

from typing import TYPE_CHECKING, Any

from .rules import RULES, examine
from .subject import Subject
from .verdict import ContractBroken, DoesNotApply, Finding, Verdict

if TYPE_CHECKING:
    from .environment_contract import EnvironmentContract

__all__ = ["RULES", "ContractBroken", "DoesNotApply", "EnvironmentContract", "Finding", "Subject", "Verdict", "examine"]


def __getattr__(name: str) -> Any:
    if name != "EnvironmentContract":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .environment_contract import EnvironmentContract

    return EnvironmentContract
