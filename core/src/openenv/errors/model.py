"""Language models without a usable answer."""

from __future__ import annotations

from .error import OpenEnvError


class ModelError(OpenEnvError):
    """A language model gave no usable answer: its endpoint refused the request, or its reply cannot be read."""


class ModelUnavailable(ModelError):
    """A model's endpoint did not answer, or cannot now; `retry_after_s` says how long to wait."""

    retryable = True

    @property
    def retry_after_s(self) -> float | None:
        """Seconds after which another try makes sense, or None where the endpoint did not say."""
        wait: float | None = self.details.get("retry_after_s")
        return wait


class BudgetSpent(ModelError):
    """No further question may be asked of a model, by the limit that its user set."""
