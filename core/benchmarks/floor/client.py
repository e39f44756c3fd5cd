"""Sends the messages over bare `websockets` and reads no reply."""

from __future__ import annotations

from importlib.metadata import version
from types import TracebackType
from typing import Any, Self

from floor.messages import RESET, STEP, batch
from websockets.asyncio.client import connect
from websockets.sync.client import connect as connect_blocking

PACKAGE = f"websockets {version('websockets')}"
OPTIONS: dict[str, Any] = {"compression": None, "max_size": None, "proxy": None}


class Awaited:
    """A socket with the face of a client."""

    def __init__(self, url: str, step: str) -> None:
        self._url = url
        self._step = step

    async def __aenter__(self) -> Self:
        self._socket = await connect(self._url, **OPTIONS)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._socket.close()

    async def reset(self) -> str | bytes:
        await self._socket.send(RESET)
        return await self._socket.recv()

    async def step(self, action: Any) -> str | bytes:
        await self._socket.send(self._step)
        return await self._socket.recv()


class Blocking:
    """A blocking socket with the face of a client."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> Self:
        self._socket = connect_blocking(self._url, **OPTIONS)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._socket.close()

    def reset(self) -> Any:
        self._socket.send(RESET)
        return self._socket.recv()

    def step(self, action: Any) -> Any:
        self._socket.send(STEP)
        return self._socket.recv()


def absence(kind: str, do: str) -> str | None:
    """Say why something cannot be measured here: nothing of the kind."""
    return None


def client(kind: str, url: str) -> Awaited:
    """Return a client to be entered with `async with`."""
    return Awaited(f"ws{url.removeprefix('http')}/ws", STEP)


def blocking(kind: str, url: str) -> Blocking:
    """Return a client to be entered with `with`."""
    return Blocking(f"ws{url.removeprefix('http')}/ws")


def lanes(kind: str, url: str, count: int) -> Awaited:
    """Return one socket whose messages carry that many steps."""
    return Awaited(f"ws{url.removeprefix('http')}/lanes/{count}", batch(count))


def move() -> None:
    """Return an action: the message is made already."""


def content(seen: Any) -> None:
    """Return what an observation holds, which this side does not look at."""
