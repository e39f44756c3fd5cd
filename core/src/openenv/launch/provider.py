"""What starts a server for a client."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any


class RuntimeProvider(ABC):
    """Starts one server and stops it."""

    @abstractmethod
    def start(self, port: int | None = None, env_vars: dict[str, str] | None = None, **options: Any) -> str:
        """Start the server and return its base URL; it need not answer yet.

        Args:
            port: the port to use; None takes a free one.
            env_vars: environment variables for it.

        Raises:
            LaunchError: it could not be started.
        """

    @abstractmethod
    def stop(self) -> None:
        """Stop the server and free all it used. Twice does no harm."""

    @abstractmethod
    def wait_for_ready(self, timeout_s: float = 30.0) -> None:
        """Return once the server answers. Raises `LaunchError` where it does not in time."""
