"""Forwards one port to a server and ends with it: the whole program of a forwarder's container.

It is handed as text to the Python of whatever image it runs in, so it takes no more than the standard library.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys

CHUNK_BYTES = 32 * 1024
"""Held at most for each direction of a connection."""

KNOCK_EVERY_S, KNOCK_TIMEOUT_S = 1.0, 1.0
GONE_AFTER_KNOCKS = 3

Address = tuple[str, int]


async def carry(source: socket.socket, target: socket.socket) -> None:
    """Carry what one end sends to the other, to its end."""
    loop = asyncio.get_running_loop()
    while chunk := await loop.sock_recv(source, CHUNK_BYTES):
        await loop.sock_sendall(target, chunk)
    target.shutdown(socket.SHUT_WR)


async def forward(client: socket.socket, server_address: Address) -> None:
    """Connect a client to the server until both have said all, or either is gone."""
    with client, socket.socket() as server, contextlib.suppress(OSError):
        if client.getpeername()[0] == server_address[0]:
            return  # the server's own container has no business here
        server.setblocking(False)
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        await asyncio.get_running_loop().sock_connect(server, server_address)
        ways = [asyncio.ensure_future(carry(client, server)), asyncio.ensure_future(carry(server, client))]
        try:
            await asyncio.gather(*ways)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)


async def accept(listener: socket.socket, server_address: Address) -> None:
    """Forward every client that comes, for ever."""
    loop = asyncio.get_running_loop()
    forwarded: set[asyncio.Future[None]] = set()
    while True:
        try:
            client, _ = await loop.sock_accept(listener)
        except OSError:  # it left at once, or there are too many
            await asyncio.sleep(0.05)
            continue
        client.setblocking(False)
        task = asyncio.ensure_future(forward(client, server_address))
        forwarded.add(task)
        task.add_done_callback(forwarded.discard)


async def gone(server_address: Address) -> None:
    """Return once the server has ended, or its whole container; one that is busy has not, for its kernel answers for it."""
    loop = asyncio.get_running_loop()
    was_there, missed = False, 0
    while missed < GONE_AFTER_KNOCKS:
        await asyncio.sleep(KNOCK_EVERY_S)
        with socket.socket() as knocker:
            knocker.setblocking(False)
            try:
                await asyncio.wait_for(loop.sock_connect(knocker, server_address), KNOCK_TIMEOUT_S)
                was_there, missed = True, 0
            except ConnectionRefusedError:  # its container is there; it may still be starting
                missed += was_there
            except (OSError, asyncio.TimeoutError):  # noqa: UP041 - a kind of its own before Python 3.11
                missed += 1


async def serve(port: int, server_address: Address) -> None:
    """Forward connections to a port of every interface until the server is gone."""
    with socket.create_server(("", port), backlog=1024) as listener:
        listener.setblocking(False)
        accepting = asyncio.ensure_future(accept(listener, server_address))
        await gone(server_address)
        accepting.cancel()
        await asyncio.wait([accepting])


if __name__ == "__main__":
    host, number = sys.argv[1:]
    asyncio.run(serve(int(number), (host, int(number))))
