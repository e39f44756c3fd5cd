"""A harness as a trainer drives it: a whole rollout in one call."""

from __future__ import annotations

from abc import ABC, abstractmethod

from .model_step import ModelStep
from .rollout_result import HarnessRolloutResult, HarnessRunLimits
from .session import ResourceSession


class HarnessAdapter(ABC):
    """Plays a session to its end, with the trainer's model (white box) or with a model of its own (black box).

    It neither scores the session nor closes it. What goes wrong is raised: it is no result.
    """

    @abstractmethod
    def run_white_box(
        self, model_step: ModelStep, session: ResourceSession, limits: HarnessRunLimits | None = None
    ) -> HarnessRolloutResult:
        """Play with the trainer's model, whose tokens are in the result.

        Args:
            model_step: asks the model.
            session: the episode.
            limits: None for the default ones.
        """

    @abstractmethod
    def run_black_box(self, session: ResourceSession, limits: HarnessRunLimits | None = None) -> HarnessRolloutResult:
        """Play with a model that the harness brings, for evaluation: there are no tokens to train on."""
