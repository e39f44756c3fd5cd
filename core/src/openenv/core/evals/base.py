"""`openenv.core.evals.base`: the class of harnesses."""

from ...evals import (
    EvalConfig,
    EvalHarness,
    EvalResult,
)

__all__ = [
    "EvalConfig",
    "EvalHarness",
    "EvalResult",
]
