"""The interface to an evaluation framework."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from .config import EvalConfig, EvalResult


class EvalHarness(ABC):
    """Runs evaluations with one framework; inherit and write `run`."""

    @abstractmethod
    def run(
        self,
        harness_version: str,
        library_versions: dict[str, str],
        dataset: str,
        eval_parameters: dict[str, Any],
    ) -> dict[str, Any]:
        """Run an evaluation, blocking, and return its scores by the names of the metrics; arguments as in `EvalConfig`."""

    def run_from_config(self, config: EvalConfig) -> EvalResult:
        """Run what a config says and return it with its scores; raises what `run` raises."""
        scores = self.run(
            harness_version=config.harness_version,
            library_versions=config.library_versions,
            dataset=config.dataset,
            eval_parameters=config.eval_parameters,
        )
        return EvalResult(config=config, scores=scores)

    @property
    def name(self) -> str:
        """The class's name, as `EvalConfig.harness_name` has it."""
        return type(self).__name__
