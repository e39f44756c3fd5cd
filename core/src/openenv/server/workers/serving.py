"""Serving with several worker processes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from ...errors import UsageError
from ..draining import show_log
from ..listening import listen, url_of, watch_peers
from .parent import Parent
from .starting import ByCopy, ByName, Starter
from .worker import check, live


def serve_with_workers(
    app: Any, host: str, port: int, log_level: str, workers: int, on_listening: Callable[[str], None]
) -> None:
    """As `openenv.server.serve`, with more than one worker process."""
    if sys.platform == "win32":
        raise UsageError(f"workers={workers}: Windows cannot share a port among processes like this; leave it at 1")
    show_log(log_level)
    starter = _starter(app, workers)
    try:
        listener = listen(host, port)
    except BaseException:
        starter.close()
        raise

    def begin(facts: dict[str, Any]) -> None:
        watch_peers(listener, facts["ping_interval_s"], facts["ping_timeout_s"])
        on_listening(url_of(listener, host))

    asyncio.run(Parent(listener, starter, workers, log_level, begin).run())


def _starter(app: Any, workers: int) -> Starter:
    if isinstance(app, str):
        return ByName(app)
    check(app, workers)
    return ByCopy(partial(live, app))
