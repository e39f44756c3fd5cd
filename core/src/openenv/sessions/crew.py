"""Several environments that share a worker: one call of it serves them all."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Protocol

from ..errors import ExecutionError, OpenEnvError, SessionStuck
from ..wire import messages
from ..wire.messages import DEFAULT_MAX_MESSAGE_BYTES, Request
from .calls import Calls, Encode
from .spec import EnvironmentSpec

LOST = "another lane's call never finished, and this lane's episode was lost with it: reset() first"


class Runnable(Protocol):
    """What a worker runs: `Calls` of one environment, or `CrewCalls` of several."""

    def open(self) -> None:
        """See `Calls.open`."""

    def run(self, request: Request, encode: Encode) -> bytes:
        """See `Calls.run`."""

    def close(self) -> Awaitable[None] | None:
        """See `Calls.close`."""


class CrewCalls:
    """As `Calls`, for the environments of several lanes.

    A request names lanes, counted from this crew's first, and its `data` has an entry for each. One that fails gives an
    error in its place and leaves the others as they are.

    Args:
        spec: the environment.
        size: how many there are.
        max_message_bytes: longest reply.
        lost: the environments stand for others that are lost, so each must be reset before its next step.
    """

    def __init__(
        self, spec: EnvironmentSpec, size: int, max_message_bytes: int = DEFAULT_MAX_MESSAGE_BYTES, *, lost: bool = False
    ) -> None:
        self._members = [Calls(spec, max_message_bytes) for _ in range(size)]
        self._lost = set(range(size)) if lost else set()

    def open(self) -> None:
        """Build the environments; where one fails, close the others. Raises `FactoryError`."""
        for index, member in enumerate(self._members):
            try:
                member.open()
            except BaseException:
                for built in self._members[:index]:
                    built.close()
                raise

    def run(self, request: Request, encode: Encode) -> bytes:
        """Return the entries of the reply's list, as `Codec.encode_all` makes them.

        Raises:
            ExecutionError: they are too long together.
        """
        kind, _, timeout_s, strict, lanes, autoreset, _ = request
        assert lanes is not None
        values: list[Any] = []
        members, lost = self._members, self._lost
        plain_steps = kind == messages.STEP and autoreset == messages.DISABLED
        for lane, data in zip(lanes, request.data, strict=True):
            try:
                if lane in lost and kind != messages.RESET:
                    raise SessionStuck(LOST)
                if plain_steps:
                    values.append(members[lane].step(data, timeout_s))
                else:
                    values.append(members[lane].value_of(Request(kind, data, timeout_s, strict, None, autoreset)))
                    if kind == messages.RESET:
                        lost.discard(lane)
            except OpenEnvError as error:
                values.append(error)
            except Exception as error:
                values.append(ExecutionError(f"{type(error).__name__}: {error}"))
        try:
            return self._members[0].encoded(request, values, encode)
        except ExecutionError:
            return self._members[0].encoded(request, [self._sendable(request, value, encode) for value in values], encode)

    def close(self) -> None:
        """Close the environments."""
        for member in self._members:
            member.close()

    def _sendable(self, request: Request, value: Any, encode: Encode) -> Any:
        """Return what a lane gave, or the error in its place where that cannot be sent even alone."""
        try:
            self._members[0].encoded(request, [value], encode)
        except ExecutionError as error:
            return error
        return value
