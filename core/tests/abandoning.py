"""Every way to leave a session behind, and a program that does: `python -m abandoning URL FIRST COUNT`.

It prints `left` when every session is where it is to be left, and waits to be killed, which the ways named `killed` need.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from websockets import Subprotocol
from websockets.asyncio.client import ClientConnection, connect

from openenv import GenericEnvClient

NAP_S = 0.4
"""How long the step or reset takes in the middle of which a client leaves."""


class Visitor:
    """Speaks to a server frame by frame, and holds on to what it leaves open."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.kept: list[Any] = []

    async def v1(self) -> ClientConnection:
        """Return a socket of version 1, asked nothing yet."""
        return await self._connect([])

    async def v2(self, session: str | None = None) -> tuple[ClientConnection, str]:
        """Return a socket of version 2 and its session."""
        resumed = [] if session is None else [Subprotocol(f"openenv.session.{session}")]
        socket = await self._connect([Subprotocol("openenv.v2.json"), *resumed])
        return socket, (await self.hear(socket))["data"]["session"]

    async def _connect(self, subprotocols: list[Subprotocol]) -> ClientConnection:
        address = f"ws{self.url.removeprefix('http')}/ws"
        socket = await connect(address, subprotocols=subprotocols or None, proxy=None, open_timeout=60, ping_interval=None)
        self.kept.append(socket)
        return socket

    async def ask(self, socket: ClientConnection, kind: str, number: int | None = None, **message: Any) -> None:
        await socket.send(json.dumps({"type": kind, **({} if number is None else {"id": number}), **message}))

    async def hear(self, socket: ClientConnection) -> dict[str, Any]:
        reply: dict[str, Any] = json.loads(await socket.recv())
        return reply

    async def begun(self) -> tuple[ClientConnection, str]:
        """Return a socket of version 2 and its session, whose episode has begun."""
        socket, session = await self.v2()
        await self.ask(socket, "reset", 1)
        assert (await self.hear(socket))["type"] == "observation"
        return socket, session

    async def begun_v1(self) -> ClientConnection:
        socket = await self.v1()
        await self.ask(socket, "reset")
        assert (await self.hear(socket))["type"] == "observation"
        return socket

    async def wire(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return a connection on which nothing has been said."""
        host, _, port = self.url.removeprefix("http://").partition(":")
        self.kept.append(await asyncio.open_connection(host, int(port)))
        return self.kept[-1]  # type: ignore[no-any-return]

    async def begun_http(self, session: str | None) -> httpx.AsyncClient:
        client = httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=60, verify=False)
        self.kept.append(client)
        reply = await client.post("/reset", headers={} if session is None else {"X-OpenEnv-Session": session})
        replaced = session is None and reply.status_code == 404  # by the default session of another caller
        assert reply.status_code == 200 or replaced, reply.text
        if session is not None:
            client.headers["X-OpenEnv-Session"] = reply.headers["X-OpenEnv-Session"]
        return client


async def closed(visitor: Visitor) -> None:
    async with GenericEnvClient(base_url=visitor.url) as env:
        await env.reset()
        assert (await env.step({"sleep_s": 0.0})).observation["naps"] == 1


async def closed_over_http(visitor: Visitor) -> None:
    async with GenericEnvClient(base_url=visitor.url, transport="http") as env:
        await env.reset()
        assert (await env.step({"sleep_s": 0.0})).observation["naps"] == 1


async def closed_by_message(visitor: Visitor) -> None:
    socket, _ = await visitor.begun()
    await visitor.ask(socket, "close")
    await socket.wait_closed()


async def closed_with_1000(visitor: Visitor) -> None:
    socket, _ = await visitor.begun()
    await socket.close(1000)


async def closed_in_step(visitor: Visitor) -> None:
    socket, _ = await visitor.begun()
    await visitor.ask(socket, "step", 2, data={"sleep_s": NAP_S})
    await socket.close(1000)


async def went_away(visitor: Visitor) -> None:
    socket, _ = await visitor.begun()
    await socket.close(1001)


async def broke_the_rules(visitor: Visitor) -> None:
    socket, _ = await visitor.begun()
    await visitor.ask(socket, "step", 7, data={})
    await socket.wait_closed()


async def aborted(visitor: Visitor) -> None:
    socket, _ = await visitor.begun()
    socket.transport.abort()


async def aborted_in_step(visitor: Visitor) -> None:
    socket, _ = await visitor.begun()
    await visitor.ask(socket, "step", 2, data={"sleep_s": NAP_S})
    socket.transport.abort()


async def aborted_in_reset(visitor: Visitor) -> None:
    socket, _ = await visitor.v2()
    await visitor.ask(socket, "reset", 1, data={"sleep_s": NAP_S})
    socket.transport.abort()


async def aborted_before_reset(visitor: Visitor) -> None:
    socket, _ = await visitor.v2()
    socket.transport.abort()


async def killed(visitor: Visitor) -> None:
    await visitor.begun()


async def killed_in_step(visitor: Visitor) -> None:
    socket, _ = await visitor.begun()
    await visitor.ask(socket, "step", 2, data={"sleep_s": NAP_S})


async def killed_in_reset(visitor: Visitor) -> None:
    socket, _ = await visitor.v2()
    await visitor.ask(socket, "reset", 1, data={"sleep_s": NAP_S})


async def killed_before_reset(visitor: Visitor) -> None:
    await visitor.v2()


async def killed_before_a_word(visitor: Visitor) -> None:
    await visitor.wire()


async def timed_out(visitor: Visitor) -> None:
    socket, _ = await visitor.begun()
    await visitor.ask(socket, "step", 2, data={"sleep_s": NAP_S}, deadline_s=0.05)
    assert (await visitor.hear(socket))["data"]["code"] == "TIMEOUT"


async def timed_out_and_reset(visitor: Visitor) -> None:
    await timed_out(visitor)
    socket = visitor.kept[-1]
    await visitor.ask(socket, "reset", 3)
    assert (await visitor.hear(socket))["type"] == "observation"
    await visitor.ask(socket, "step", 4, data={"sleep_s": NAP_S})
    socket.transport.abort()


async def cancelled(visitor: Visitor) -> None:
    socket, _ = await visitor.begun()
    await visitor.ask(socket, "step", 2, data={"sleep_s": NAP_S})
    await visitor.ask(socket, "cancel", data={"id": 2})
    assert (await visitor.hear(socket))["data"]["code"] == "CANCELLED"
    await socket.close(1000)


async def resumed_and_lost_again(visitor: Visitor) -> None:
    socket, session = await visitor.begun()
    socket.transport.abort()
    for number in (2, 3):
        socket, again = await visitor.v2(session)
        assert again == session
        await visitor.ask(socket, "step", number, data={"sleep_s": 0.0})
        await socket.recv()
        socket.transport.abort()


async def taken_over(visitor: Visitor) -> None:
    socket, session = await visitor.begun()
    await visitor.v2(session)
    await socket.wait_closed()


async def v1_closed(visitor: Visitor) -> None:
    socket = await visitor.begun_v1()
    await visitor.ask(socket, "close")
    await socket.wait_closed()


async def v1_aborted(visitor: Visitor) -> None:
    (await visitor.begun_v1()).transport.abort()


async def v1_aborted_in_step(visitor: Visitor) -> None:
    socket = await visitor.begun_v1()
    await visitor.ask(socket, "step", data={"sleep_s": NAP_S})
    socket.transport.abort()


async def v1_aborted_before_a_word(visitor: Visitor) -> None:
    (await visitor.v1()).transport.abort()


async def v1_killed_before_a_word(visitor: Visitor) -> None:
    await visitor.v1()


async def http_abandoned(visitor: Visitor) -> None:
    await visitor.begun_http("new")


async def http_default_abandoned(visitor: Visitor) -> None:
    await visitor.begun_http(None)


async def http_gone_in_step(visitor: Visitor) -> None:
    client = await visitor.begun_http("new")
    session, body = client.headers["X-OpenEnv-Session"], json.dumps({"action": {"sleep_s": NAP_S}})
    _, writer = await visitor.wire()
    head = f"POST /step HTTP/1.1\r\nHost: soak\r\nX-OpenEnv-Session: {session}\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(f"{head}{body}".encode())
    await writer.drain()
    writer.transport.abort()


Way = Callable[[Visitor], Awaitable[None]]

WAYS: list[Way] = [
    closed,
    closed_over_http,
    closed_by_message,
    closed_with_1000,
    closed_in_step,
    went_away,
    broke_the_rules,
    aborted,
    aborted_in_step,
    aborted_in_reset,
    aborted_before_reset,
    killed,
    killed_in_step,
    killed_in_reset,
    killed_before_reset,
    killed_before_a_word,
    timed_out,
    timed_out_and_reset,
    cancelled,
    resumed_and_lost_again,
    taken_over,
    v1_closed,
    v1_aborted,
    v1_aborted_in_step,
    v1_aborted_before_a_word,
    v1_killed_before_a_word,
    http_abandoned,
    http_default_abandoned,
    http_gone_in_step,
]


async def leave(url: str, first: int, count: int) -> None:
    """Leave sessions behind, the ways in turn, in an order of chance."""
    numbers = list(range(first, first + count))
    random.Random(first).shuffle(numbers)
    visitors = [(WAYS[number % len(WAYS)], Visitor(url)) for number in numbers]
    await asyncio.gather(*(way(visitor) for way, visitor in visitors))
    print("left", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(leave(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
