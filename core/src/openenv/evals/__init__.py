"""Evaluations that can be written down, run and compared."""

from .config import EvalConfig, EvalResult
from .harness import EvalHarness
from .inspect_harness import InspectAIHarness

__all__ = ["EvalConfig", "EvalHarness", "EvalResult", "InspectAIHarness"]
