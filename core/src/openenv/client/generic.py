"""A client for any server: dicts in, dicts out."""

from __future__ import annotations

from typing import Any

from ..contract.result import StepResult
from ..wire.values import plain_result
from .base import EnvClient


class GenericAction(dict[str, Any]):
    """An action of no known type, written like one: `GenericAction(message="hi")`."""

    def __init__(self, **fields: Any) -> None:
        super().__init__(fields)

    def __repr__(self) -> str:
        return f"GenericAction({', '.join(f'{name}={value!r}' for name, value in self.items())})"


class GenericEnvClient(EnvClient[dict[str, Any], dict[str, Any], dict[str, Any]]):
    """Plays a server whose package is not installed here. Actions, observations and state are plain dicts."""

    def _parse_result(self, payload: dict[str, Any]) -> StepResult[dict[str, Any]]:
        return plain_result(payload.get("observation", {}), payload)

    def _parse_state(self, payload: dict[str, Any]) -> dict[str, Any]:
        return payload
