"""What those are told who get nothing of a fleet."""

from __future__ import annotations

import copy
from collections.abc import Collection

from ...errors import CapacityReached, ConnectError, LaunchError, OpenEnvError
from .server import Server, ServerState
from .waiting import Ticket


def too_late(ticket: Ticket, servers: Collection[Server], given_up: BaseException | None) -> Exception:
    """Return the error for one who has waited for long enough.

    Args:
        ticket: who waited.
        servers: those that there are.
        given_up: why no further start is tried; None where they are.
    """
    ready = [server for server in servers if server.state is ServerState.READY]
    if not ready:
        why = f"none of the fleet's {len(servers)} servers took sessions for {ticket.timeout_s:.3g} s"
        return ConnectError(f"{why}: {given_up or 'they start, or do not answer'}")
    capacity = sum(server.capacity for server in servers)
    taken = sum(server.taken for server in servers)
    of = "session" if ticket.count == 1 else f"{ticket.count} slots of one server"
    return CapacityReached(
        f"no {of} came free within {ticket.timeout_s:.3g} s: {taken} of {capacity} slots of {len(ready)} servers are taken",
        retry_after_s=max(1.0, ticket.timeout_s),
        max_sessions=max(1, capacity),
        active_sessions=taken,
    )


def too_many(ticket: Ticket, slots_each: int) -> CapacityReached:
    """Return the error for one who wants more slots of one server than a server has."""
    told = f"{ticket.count} slots of one server were asked for, and a server of this fleet has {slots_each}"
    return CapacityReached(told, max_sessions=slots_each, active_sessions=0)


def again(error: BaseException) -> Exception:
    """Return an error once more, for another who is told of it."""
    if isinstance(error, OpenEnvError):
        return copy.copy(error)
    return LaunchError(f"a server could not be started: {type(error).__name__}: {error}")


def stopped_by(fault: Exception) -> str:
    """Return what is said of a fleet that has stopped by a fault in its own code."""
    return f"the fleet has stopped by a fault in its own code, {type(fault).__name__}: {fault}; the log has the traceback"
