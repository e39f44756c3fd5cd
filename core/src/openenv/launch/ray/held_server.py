"""A server on a node, as the process that started it holds it."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ...errors import LaunchError
from .cluster import MEMORY, reason, room
from .node_server import CALLS_AT_ONCE, NodeServer

SAY_SO_AFTER_S = 10.0
"""A server that has no node by then is told of in the log."""

REPLY_TIMEOUT_S = 10.0
"""How long an actor may take to tell of its server."""

RESOURCES = {"num_cpus": "CPU", "num_gpus": "GPU", "memory": MEMORY}
"""What Ray calls in its nodes what it is asked for by these options."""

logger = logging.getLogger("openenv.launch")


class HeldServer:
    """An actor with a server; Ray ends it when this is let go, and when this process ends.

    Args:
        ray: Ray, connected to a cluster.
        app, port, env_vars: as for `NodeServer`.
        placement: options of the actor.

    Raises:
        LaunchError: there is no such placement.
    """

    def __init__(self, ray: Any, app: str, port: int, env_vars: Mapping[str, str], placement: Mapping[str, Any]) -> None:
        self.url: str | None = None
        self._ray = ray
        self._app = app
        self._asked = {name: placement[option] for option, name in RESOURCES.items() if placement[option]}
        self._asked |= placement["resources"]
        try:
            kind = ray.remote(NodeServer).options(**placement, max_concurrency=CALLS_AT_ONCE, max_restarts=0)
            self._actor = kind.remote(app, port, dict(env_vars))
        except (TypeError, ValueError) as error:
            raise LaunchError(f"{app} cannot be placed so: {reason(error)}") from None
        self._placed = self._actor.placed.remote()
        self._ended = self._actor.ended.remote()

    def wait_for_node(self, deadline_s: float) -> None:
        """Return once a node has it. Raises `LaunchError` where none takes it in time, by `time.monotonic`."""
        from ray.exceptions import GetTimeoutError

        began = time.monotonic()
        if _until(deadline_s) > SAY_SO_AFTER_S:
            try:
                self._reply(self._placed, SAY_SO_AFTER_S)
                return
            except GetTimeoutError:
                logger.warning("%s waits for a node: %s", self._app, room(self._ray, self._asked))
        try:
            self._reply(self._placed, _until(deadline_s))
        except GetTimeoutError:
            waited_s = time.monotonic() - began
            raise LaunchError(f"{self._app} found no node within {waited_s:.0f} s: {room(self._ray, self._asked)}") from None

    def wait_for_url(self, deadline_s: float) -> str | None:
        """Return where it listens, or None where it does not tell in time or ends."""
        left_s = _until(deadline_s)
        with suppress(TimeoutError):
            self.url = self._reply(self._actor.url.remote(left_s), left_s + REPLY_TIMEOUT_S)
        return self.url

    def running(self) -> bool:
        """Return whether the server has not ended, as far as Ray knows; waits for nothing."""
        return self._ray.is_initialized() and not self._is_done(self._ended)

    def failure(self, what: str) -> LaunchError:
        """Return the error that says what went wrong, with the exit code and the last lines of output."""
        try:
            return LaunchError(self._reply(self._actor.report.remote(what), REPLY_TIMEOUT_S))
        except LaunchError as error:
            return error
        except TimeoutError:
            return LaunchError(f"{what}; nor does its actor say anything: does its node stand still?")

    def output(self) -> list[str]:
        """Return the last lines that the server printed; none where its node is gone."""
        with suppress(LaunchError, TimeoutError):
            return list(self._reply(self._actor.output.remote(), REPLY_TIMEOUT_S))
        return []

    def stop(self, timeout_s: float) -> None:
        """End the server and its actor; where no node has it yet, none will."""
        if not self._ray.is_initialized():
            return  # the actor has ended with the connection
        if self._is_done(self._placed):
            with suppress(LaunchError, TimeoutError):
                self._reply(self._actor.stop.remote(timeout_s), timeout_s + REPLY_TIMEOUT_S)
        self._ray.kill(self._actor)

    def _is_done(self, reference: Any) -> bool:
        done, _ = self._ray.wait([reference], timeout=0, fetch_local=False)
        return bool(done)

    def _reply(self, reference: Any, timeout_s: float) -> Any:
        """Return what the actor answers. Raises `TimeoutError`, or `LaunchError` where it is gone or never came to be."""
        from ray.exceptions import GetTimeoutError, RayError

        try:
            return self._ray.get(reference, timeout=timeout_s)
        except GetTimeoutError:
            raise
        except RayError as error:
            raise LaunchError(f"{self._app} is on no node of the cluster: {reason(error)}") from None


def _until(deadline_s: float) -> float:
    return max(0.0, deadline_s - time.monotonic())
