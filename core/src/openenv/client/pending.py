"""Results that are to be awaited, and results that are not."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Coroutine, Generator, Hashable
from functools import lru_cache
from types import TracebackType
from typing import Any, Generic, TypeVar, cast

from ..errors import NotAwaitedError, UsageError

T = TypeVar("T")


class PendingCall(Coroutine[Any, Any, T], Generic[T]):
    """A client call made inside an event loop: await it once, or give it to `asyncio.create_task` or `gather`.

    Reading an attribute of it raises `NotAwaitedError`, for it is not the result. Nothing is sent before it is awaited.
    """

    __slots__ = ("_coroutine", "_name", "_start")

    def __init__(self, name: str, start: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._name = name
        self._start: Callable[[], Coroutine[Any, Any, T]] | None = start
        self._coroutine: Coroutine[Any, Any, T] | None = None

    def _run(self) -> Coroutine[Any, Any, T]:
        if self._coroutine is None:
            start, self._start = self._start, None
            if start is None:
                raise UsageError(f"{self._name}() was awaited already")
            self._coroutine = start()
        return self._coroutine

    def __await__(self) -> Generator[Any, Any, T]:
        if self._coroutine is not None:
            raise UsageError(f"{self._name}() was awaited already")
        return self._run().__await__()

    def send(self, value: Any, /) -> Any:
        return self._run().send(value)

    def throw(self, kind: Any, value: Any = None, traceback: TracebackType | None = None, /) -> Any:
        raised = kind if value is None else value
        return self._run().throw(raised if traceback is None else raised.with_traceback(traceback))

    def close(self) -> None:
        self._start = None
        if self._coroutine is not None:
            self._coroutine.close()

    def __getattr__(self, name: str) -> Any:
        if not name.startswith(("_", "cr_", "gi_", "ag_")):
            self._start = None
        raise NotAwaitedError(f"{self._name}() has not been awaited, so it has no {name!r}: await it, or use .sync()")

    def __repr__(self) -> str:
        return f"<{self._name}(): not awaited yet>" if self._start is not None else f"<{self._name}(): awaited>"

    def __del__(self) -> None:
        if self._coroutine is None and self._start is not None:
            warnings.warn(f"{self._name}() was never awaited, so it did nothing", RuntimeWarning, stacklevel=2)


def not_to_await(value: T) -> T:
    """Return a result of a blocking call made inside an event loop, so made that `await` on it explains itself."""
    kind = _explaining(cast("Hashable", type(value)))
    if kind is None:
        return value
    if isinstance(value, dict):
        return kind(value)  # type: ignore[no-any-return]
    object.__setattr__(value, "__class__", kind)
    return value


@lru_cache(maxsize=256)
def _explaining(kind: Any) -> Any:
    """A subclass of `kind` that differs only under `await`; None for types that cannot have one."""
    if not hasattr(kind, "__dict__") or (kind.__module__ == "builtins" and kind is not dict):
        return None

    def __await__(self: Any) -> Generator[Any, Any, Any]:
        raise UsageError(
            "this connection was opened by a blocking call, so its calls return results at once: "
            "drop the await, or open it with `async with` or an awaited connect()"
        )

    looks_like_kind = property(lambda _: kind)
    names = {"__slots__": (), "__await__": __await__, "__class__": looks_like_kind, "__module__": kind.__module__}
    return type(kind)(kind.__name__, (kind,), names)
