"""A fleet typed for blocking use."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Generic, Self

from ...client.lanes import SyncLanes
from ...client.sync import SyncEnvClient
from .fleet import ClientT, Fleet
from .settings import Bounds
from .status import FleetStatus


class SyncFleet(Generic[ClientT]):
    """Makes the calls of a `Fleet` and waits for them, inside a running event loop too; may be used from any thread."""

    def __init__(self, fleet: Fleet[ClientT]) -> None:
        self._fleet = fleet

    @property
    def async_fleet(self) -> Fleet[ClientT]:
        """The fleet that this is."""
        return self._fleet

    @property
    def status(self) -> FleetStatus:
        """See `Fleet.status`."""
        return self._fleet.status

    def session(self, *, queue_timeout_s: float | None = None) -> SyncEnvClient[Any, Any, Any]:
        """See `Fleet.session`."""
        return self._fleet.session(queue_timeout_s=queue_timeout_s).sync()

    def lanes(
        self, count: int, autoreset: str = "disabled", *, queue_timeout_s: float | None = None
    ) -> SyncLanes[Any, Any, Any]:
        """See `Fleet.lanes`."""
        return self._fleet._session(count, queue_timeout_s).sync().lanes(count, autoreset)

    def start(self) -> Self:
        """See `Fleet.start`."""
        self._fleet._start()
        return self

    def scale(self, least: int, most: int | None = None) -> None:
        """See `Fleet.scale`."""
        overseer = self._fleet._running()
        overseer.run(overseer.set_bounds, Bounds.read(None, least, least if most is None else most)).result()

    def close(self) -> None:
        """See `Fleet.close`."""
        self._fleet._close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._fleet._close(kind)
