"""`openenv.core.evals.types`: evaluations as data."""

from ...evals import (
    EvalConfig,
    EvalResult,
)

__all__ = [
    "EvalConfig",
    "EvalResult",
]
