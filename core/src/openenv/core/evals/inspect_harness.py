"""`openenv.core.evals.inspect_harness`: Inspect AI runs them."""

from ...evals import (
    EvalHarness,
    InspectAIHarness,
)

__all__ = [
    "EvalHarness",
    "InspectAIHarness",
]
