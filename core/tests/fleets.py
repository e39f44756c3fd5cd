"""Fleets of real processes, for tests that kill them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from counting import CounterEnv

from openenv.launch.process import ProcessProvider
from openenv.launch.provider import RuntimeProvider
from openenv.rollout import Fleet, FleetEvent

PATH = {"PYTHONPATH": str(Path(__file__).parent)}


class Processes:
    """Makes providers of servers of `Counter`, and remembers them so that a test can do something to their processes."""

    def __init__(self, app: str = "serving_counter:app", **env_vars: str) -> None:
        self.app = app
        self.made: list[ProcessProvider] = []
        self._env_vars = {**PATH, **env_vars}

    def __call__(self) -> ProcessProvider:
        provider = ProcessProvider(self.app, env_vars=self._env_vars, stop_timeout_s=2.0)
        self.made.append(provider)
        return provider

    def pid(self, url: str | None) -> int:
        """Return the number of the process that listens at an address."""
        servers = [provider._process for provider in self.made if provider._process is not None]
        (pid,) = [server._process.pid for server in servers if server.url == url]
        return pid

    def kill(self, url: str | None, number: int = signal.SIGKILL) -> int:
        """Send a signal to the process that listens at an address; return its number."""
        pid = self.pid(url)
        os.kill(pid, number)
        return pid


class Events(list[FleetEvent]):
    """What a fleet told of."""

    def of(self, kind: str) -> list[FleetEvent]:
        return [event for event in self if event.kind == kind]


def fleet_of(
    processes: Callable[[], Any], events: Events | None = None, servers: int | None = None, **options: Any
) -> Fleet[CounterEnv]:
    """Return a fleet that is soon through with everything."""
    quick = {"settled_after_s": 0.5, "first_backoff_s": 0.05, "health_interval_s": 0.2}
    told = None if events is None else events.append
    return Fleet(CounterEnv, processes, servers, on_event=told, **{**quick, **options})


class Standing(RuntimeProvider):
    """Starts nothing: its server runs already.

    Args:
        url: where that is.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def start(self, port: int | None = None, env_vars: dict[str, str] | None = None, **options: Any) -> str:
        return self.url

    def stop(self) -> None:
        pass

    def wait_for_ready(self, timeout_s: float = 30.0) -> None:
        pass
