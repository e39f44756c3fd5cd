"""Work that is done at once where nothing has to be waited for, and awaited where something has."""

from __future__ import annotations

import asyncio
import inspect
import os
import threading
from collections.abc import Awaitable, Generator, Iterable
from typing import Any, TypeVar

from ..errors import UsageError

T = TypeVar("T")

Steps = Generator[Any, Any, T]
"""Yields values that may be awaitable and gets back what they come to; returns the outcome."""


def settle(steps: Steps[T]) -> T | Awaitable[T]:
    """Run steps: to their outcome where none is awaitable, else to an awaitable of it, from the first such step on."""
    try:
        value = next(steps)
        while not inspect.isawaitable(value):
            value = steps.send(value)
    except StopIteration as end:
        outcome: T = end.value
        return outcome
    return _settle_later(steps, value)


async def _settle_later(steps: Steps[T], value: Any) -> T:
    try:
        while True:
            try:
                found = await value if inspect.isawaitable(value) else value
            except BaseException as error:
                value = steps.throw(error)
            else:
                value = steps.send(found)
    except StopIteration as end:
        outcome: T = end.value
        return outcome


def settle_all(values: Iterable[Any]) -> list[Any] | Awaitable[list[Any]]:
    """Return the values, or an awaitable of them where some are awaitable: those are waited for side by side.

    Where one fails, the others are cancelled and its error is raised.
    """
    started: list[Any] = []
    try:
        started.extend(values)
    except BaseException:
        for value in started:
            _drop(value)
        raise
    return _gathered(started) if any(inspect.isawaitable(value) for value in started) else started


async def _gathered(values: list[Any]) -> list[Any]:
    tasks = {place: asyncio.ensure_future(value) for place, value in enumerate(values) if inspect.isawaitable(value)}
    try:
        await asyncio.gather(*tasks.values())
    except BaseException:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        raise
    return [tasks[place].result() if place in tasks else value for place, value in enumerate(values)]


def _drop(value: Any) -> None:
    """Close coroutines that were made and will not be awaited, and those that they were to await."""
    if inspect.iscoroutine(value):
        inner = inspect.getcoroutinelocals(value) if value.cr_code in _OURS else {}
        value.close()
        for held in (inner.get("value"), *inner.get("values", ())):
            _drop(held)


_OURS = (_settle_later.__code__, _gathered.__code__)


class _Waiting:
    """An event loop in a thread of its own, for code that blocks; one a process, begun when first needed."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def wait_for(self, value: Awaitable[T]) -> T:
        with self._turn:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="openenv-waiting", daemon=True).start()

        async def run() -> T:
            return await value

        future = asyncio.run_coroutine_threadsafe(run(), self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise


_WAITING = _Waiting()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_WAITING.__init__)  # type: ignore[misc]


def settled(value: T | Awaitable[T], instead: str) -> T:
    """Return what a value comes to, blocking where it has to be awaited.

    All waiting of a process's blocking code happens on one event loop, so what is awaited may keep connections open.

    Raises:
        UsageError: it has to be awaited and this thread runs an event loop; says to do `instead`.
    """
    if not inspect.isawaitable(value):
        found: T = value
        return found
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        waited: T = _WAITING.wait_for(value)
        return waited
    _drop(value)
    raise UsageError(f"this has to be awaited, and an event loop runs here: {instead}")
