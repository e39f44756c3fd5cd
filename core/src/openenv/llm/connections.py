"""Connections to an endpoint through a vendor's SDK."""

from __future__ import annotations

import asyncio
import importlib
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import MissingExtra, ModelError, ModelUnavailable

PASSING_STATUSES = frozenset({408, 409, 429})
"""Statuses below 500 that say "not now", as both SDKs take them; from 500 on all do."""


def sdk(name: str) -> Any:
    """Import a vendor's SDK. Raises `MissingExtra` where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtra(f"this needs the {name} package: pip install 'openenv-core[llm]'") from error


class Connections:
    """An SDK's client for each event loop that calls, since connections belong to the loop that opened them."""

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self._turn = threading.Lock()
        self._open: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Any] = weakref.WeakKeyDictionary()

    def here(self) -> Any:
        """Return the running loop's client."""
        loop = asyncio.get_running_loop()
        with self._turn:
            if loop not in self._open:
                self._open[loop] = self._connect()
            return self._open[loop]

    async def close(self) -> None:
        """Close the running loop's client."""
        with self._turn:
            client = self._open.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.close()


@contextmanager
def told(sdk: Any, model: str) -> Iterator[None]:
    """Raise what an SDK raises as errors of this package, with the SDK's error as their cause."""
    try:
        yield
    except sdk.APIConnectionError as error:
        raise ModelUnavailable(f"{model} cannot be reached: {error}") from error
    except sdk.APIStatusError as error:
        status = error.status_code
        if status in PASSING_STATUSES or status >= 500:
            raise ModelUnavailable(
                f"{model} cannot answer now: {error}", status_code=status, retry_after_s=_wait(error.response)
            ) from error
        raise ModelError(f"{model} refused: {error}", status_code=status) from error
    except sdk.APIError as error:
        raise ModelError(f"what {model} answered cannot be read: {error}") from error


def _wait(response: Any) -> float | None:
    try:
        return float(response.headers.get("retry-after", ""))
    except ValueError:
        return None
