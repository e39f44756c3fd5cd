"""Running a coroutine from code that cannot await."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run_async_safely(coro: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end and return its result; inside a running event loop, on a loop in another thread.

    It then holds up the running loop, and must not need anything from it.
    """
    if asyncio._get_running_loop() is None:
        return asyncio.run(coro)
    with concurrent.futures.ThreadPoolExecutor(1, "openenv-run-async") as thread:
        return thread.submit(asyncio.run, coro).result()
