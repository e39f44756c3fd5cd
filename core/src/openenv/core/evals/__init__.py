"""`openenv.core.evals`: evaluations."""

from ...evals import (
    EvalConfig,
    EvalHarness,
    EvalResult,
    InspectAIHarness,
)

__all__ = [
    "EvalConfig",
    "EvalHarness",
    "EvalResult",
    "InspectAIHarness",
]
