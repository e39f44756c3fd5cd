"""Sessions that are opened wherever a fleet has room, behind the interfaces of a client's transports."""

from __future__ import annotations

import asyncio
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn, Protocol

from ...client.transport import BlockingTransport, Call, Endpoint, Losable, Transport
from ...errors import ConnectError, OpenEnvError, SessionLost, ShuttingDown
from .seat import Seat
from .server import Server

ELSEWHERE = (ConnectError, ShuttingDown, SessionLost)
"""What opening a session raises where the server is gone or about to go, so that another is worth a try."""

PAUSE_S = 0.05


class Seating(Protocol):
    """Who hands out seats; its methods may be called from any thread."""

    def take(self, count: int, timeout_s: float) -> Seat:
        """Return a seat of so many slots, and wait for it where need be. Raises as `Fleet.session` says."""

    async def take_async(self, count: int, timeout_s: float) -> Seat:
        """As `take`, for an event loop."""

    def release(self, seat: Seat) -> None:
        """Take a seat back. Twice does no harm."""

    def doubt(self, server: Server) -> None:
        """Give a server no sessions before it has answered well again."""


class FleetEndpoint:
    """A fleet as a place to reach an environment at: each session that is opened gets a seat at one of its servers.

    Args:
        seating: hands out the seats.
        endpoint_of: returns the endpoint of a server.
        count: slots of a session.
        timeout_s: how long it waits for them.
    """

    def __init__(self, seating: Seating, endpoint_of: Callable[[Server], Endpoint], count: int, timeout_s: float) -> None:
        self._seating = seating
        self._endpoint_of = endpoint_of
        self._count = count
        self._timeout_s = timeout_s

    def transport(self) -> FleetOpening:
        return FleetOpening(self._seating, self._endpoint_of, self._count, self._timeout_s)

    def blocking_transport(self) -> BlockingFleetOpening:
        return BlockingFleetOpening(self._seating, self._endpoint_of, self._count, self._timeout_s)


class FleetOpening:
    """Opens a session for an event loop; one that cannot be opened where its seat is gets another seat."""

    def __init__(self, seating: Seating, endpoint_of: Callable[[Server], Endpoint], count: int, timeout_s: float) -> None:
        self._seating = seating
        self._endpoint_of = endpoint_of
        self._count = count
        self._until_s = time.monotonic() + timeout_s

    async def open(self) -> Transport:
        while True:
            seat = await self._seating.take_async(self._count, self._left_s())
            try:
                return await self._open_at(seat)
            except ELSEWHERE as error:
                self._moves_on(seat, error)
            await asyncio.sleep(PAUSE_S)

    async def _open_at(self, seat: Seat) -> Transport:
        try:
            inner = await self._endpoint_of(seat.server).transport().open()
        except BaseException:
            self._seating.release(seat)
            raise
        loop, lose = asyncio.get_running_loop(), inner.lose if isinstance(inner, Losable) else None
        seated = SeatedTransport(inner, seat, self._seating)
        try:
            seat.connect(None if lose is None else lambda error: _call_in(loop, lose, error))
        except BaseException:
            await seated.close()
            raise
        return seated

    def _left_s(self) -> float:
        return max(0.0, self._until_s - time.monotonic())

    def _moves_on(self, seat: Seat, error: OpenEnvError) -> None:
        """Note that a server did not take a session. Raises the error where no time is left for another."""
        self._seating.doubt(seat.server)
        if not self._left_s():
            raise error


class BlockingFleetOpening(FleetOpening):
    """As `FleetOpening`, for threads that wait."""

    def open(self) -> BlockingTransport:  # type: ignore[override]
        while True:
            seat = self._seating.take(self._count, self._left_s())
            try:
                return self._open_blocking_at(seat)
            except ELSEWHERE as error:
                self._moves_on(seat, error)
            time.sleep(PAUSE_S)

    def _open_blocking_at(self, seat: Seat) -> BlockingTransport:
        try:
            inner = self._endpoint_of(seat.server).blocking_transport().open()
        except BaseException:
            self._seating.release(seat)
            raise
        seated = BlockingSeatedTransport(inner, seat, self._seating)
        try:
            seat.connect(inner.lose if isinstance(inner, Losable) else None)
        except BaseException:
            seated.close()
            raise
        return seated


def _call_in(loop: asyncio.AbstractEventLoop, lose: Callable[[SessionLost], None], error: SessionLost) -> None:
    with suppress(RuntimeError):  # the loop has ended, and its sessions with it
        loop.call_soon_threadsafe(lose, error)


class _Seated:
    """What both transports do around their calls.

    A transport that is dropped without being closed gives its seat back all the same.
    """

    def __init__(self, seat: Seat, seating: Seating) -> None:
        self._seat = seat
        self._seating = seating
        self._dropped = weakref.finalize(self, seating.release, seat)
        self._dropped.atexit = False

    def _fail(self, call: Call, error: OpenEnvError) -> NoReturn:
        """Raise what a call that raised `error` is to raise."""
        told = self._told(call, error)
        if told is error:
            raise error
        raise told from None

    def _told(self, call: Call, error: OpenEnvError) -> OpenEnvError:
        """Return what to say of an error; a server that is about to stop lets an episode begin elsewhere."""
        seat = self._seat
        if isinstance(error, ShuttingDown):
            self._seating.doubt(seat.server)
            if seat.begins_anew(call):
                return SessionLost(f"{seat.server.name} is shutting down: the next episode begins on another server")
        elif isinstance(error, SessionLost | ConnectError):
            self._seating.doubt(seat.server)
        return seat.failed(error)

    def _left(self) -> None:
        self._dropped()


class SeatedTransport(_Seated):
    """A session at a server of a fleet, used from one event loop."""

    def __init__(self, inner: Transport, seat: Seat, seating: Seating) -> None:
        super().__init__(seat, seating)
        self._inner = inner

    async def request(self, call: Call) -> dict[str, Any]:
        self._seat.check(call)
        try:
            data = await self._inner.request(call)
        except OpenEnvError as error:
            self._fail(call, error)
        self._seat.note(call, data)
        return data

    async def close(self) -> None:
        try:
            await self._inner.close()
        finally:
            self._left()


class BlockingSeatedTransport(_Seated):
    """As `SeatedTransport`, for threads that wait."""

    def __init__(self, inner: BlockingTransport, seat: Seat, seating: Seating) -> None:
        super().__init__(seat, seating)
        self._inner = inner

    def request(self, call: Call) -> dict[str, Any]:
        self._seat.check(call)
        try:
            data = self._inner.request(call)
        except OpenEnvError as error:
            self._fail(call, error)
        self._seat.note(call, data)
        return data

    def close(self) -> None:
        try:
            self._inner.close()
        finally:
            self._left()
