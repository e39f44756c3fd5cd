"""The thread that starts one server, and stops it when it is told to."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple

from ...errors import LaunchError
from ...launch.provider import RuntimeProvider
from .capacity import told_capacity

logger = logging.getLogger("openenv.fleet")


class Started(NamedTuple):
    """What a server that is up says of itself.

    Attributes:
        url: where it is.
        headers: what every request to it carries.
        capacity: how many sessions it takes; None where it does not say.
    """

    url: str
    headers: Mapping[str, str]
    capacity: int | None


class Caretaker:
    """Looks after one server from its start to its end, in a thread of its own, since providers wait for what they do.

    Args:
        name: of the server.
        make_provider: returns what starts it.
        on_start: told in the thread, with what the server says of itself, or with why it did not come up.
        on_end: told in the thread once nothing of it is left, or its provider has failed to stop it.
    """

    def __init__(
        self,
        name: str,
        make_provider: Callable[[], RuntimeProvider],
        on_start: Callable[[Started | BaseException], object],
        on_end: Callable[[], object],
    ) -> None:
        self._name = name
        self._make_provider = make_provider
        self._on_start = on_start
        self._on_end = on_end
        self._provider: RuntimeProvider | None = None
        self._leaving = threading.Event()
        self._starting = True
        self._cannot_tell = False
        self._thread = threading.Thread(target=self._care, name=f"openenv-fleet-{name}", daemon=True)
        self._thread.start()

    def is_running(self) -> bool | None:
        """Return whether the server has not ended; None where its provider cannot tell."""
        try:
            running = None if self._provider is None else self._provider.is_running()
        except Exception as error:
            if not self._cannot_tell:
                logger.warning("the provider of %s cannot tell whether it runs", self._name, exc_info=error)
            self._cannot_tell = True
            return None
        self._cannot_tell = False
        return running

    def leave(self) -> None:
        """Let the server be stopped. Waits for nothing; a start under way is broken off where the provider can do that."""
        if self._leaving.is_set():
            return
        self._leaving.set()
        if self._starting and self._provider is not None:
            with suppress(RuntimeError):  # this program ends, and no thread can begin any more
                threading.Thread(target=self._break_off, name=f"{self._thread.name}-break-off", daemon=True).start()

    def _care(self) -> None:
        try:
            started = self._start()
            self._starting = False
            self._on_start(started)
            self._leaving.wait()
        except BaseException as error:
            self._starting = False
            self._stop()
            self._on_start(error)
        else:
            self._stop()
        self._on_end()

    def _start(self) -> Started:
        provider = self._provider = self._make_provider()
        if self._leaving.is_set():
            raise LaunchError("it was to be stopped before it had begun")
        url = provider.start()
        provider.wait_for_ready()
        headers = dict(provider.headers)
        return Started(url, headers, told_capacity(url, headers))

    def _break_off(self) -> None:
        while self._starting and self._thread.is_alive():
            self._stop()
            self._thread.join(0.2)

    def _stop(self) -> None:
        if self._provider is None:
            return
        try:
            self._provider.stop()
        except Exception as error:
            logger.warning("%s could not be stopped: %s", self._name, error)
