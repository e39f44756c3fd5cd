"""Agents of a server of several worker processes reach their sessions' tools by whichever connection."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
import websockets
from mcp import Client as SdkClient
from mcp import MCPError
from mcp.client.streamable_http import streamable_http_client
from server_process import SERVE, ServerProcess, alive
from serving import wait_until

from openenv.server.workers.head import destination

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is one process on Windows")

COMMAND = (*SERVE, "placed_tools:app", "--port", "0", "--workers", "2")
SESSION, AGENT = "X-OpenEnv-Session", "Mcp-Session-Id"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that tests leave as they found it."""
    server = ServerProcess(tmp_path_factory.mktemp("shared"), *COMMAND)
    yield server
    server.kill()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server whose workers a test may kill."""
    server = ServerProcess(tmp_path, *COMMAND)
    yield server
    server.kill()


def rpc(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": params, "id": 1}


def tool(name: str, session_id: str | None = None, **arguments: Any) -> dict[str, Any]:
    return rpc("tools/call", name=name, arguments=arguments, **({} if session_id is None else {"session_id": session_id}))


@contextlib.asynccontextmanager
async def connected(server: ServerProcess) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Yield a client of one connection to each worker."""
    async with contextlib.AsyncExitStack() as stack:
        clients = []
        for worker in ("0.0.", "1.0."):
            limits = httpx.Limits(max_connections=1)
            http = httpx.AsyncClient(base_url=server.url, limits=limits, trust_env=False, timeout=20)
            clients.append(await stack.enter_async_context(http))
            assert (await http.get("/health", headers={SESSION: worker})).is_success
        yield clients


async def begun(http: httpx.AsyncClient) -> str:
    """Begin an MCP session in the worker that a client is connected with; return its name."""
    greeted = await http.post("/mcp", json=rpc("initialize", protocolVersion="2025-11-25"))
    name: str = greeted.headers[AGENT]
    return name


async def counted(http: httpx.AsyncClient, name: str) -> dict[str, int]:
    reply = await http.post("/mcp", json=tool("count"), headers={AGENT: name})
    content: dict[str, int] = reply.json()["result"]["structuredContent"]
    return content


async def test_an_official_client_keeps_its_session_over_connections_to_every_worker(shared: ServerProcess) -> None:
    limits = httpx2.Limits(max_keepalive_connections=8)
    async with httpx2.AsyncClient(base_url=shared.url, limits=limits, trust_env=False, timeout=20) as http:
        places = [f"{number % 2}.0." for number in range(8)]
        await asyncio.gather(*(http.get("/health", headers={SESSION: place}) for place in places))
        for _ in range(2):
            async with SdkClient(streamable_http_client(f"{shared.url}/mcp", http_client=http)) as agent:
                for _ in range(3):
                    await asyncio.gather(*(agent.call_tool("nap", {"seconds": 0.01}) for _ in range(8)))
                results = await asyncio.gather(*(agent.call_tool("count") for _ in range(12)))
                contents = [result.structured_content or {} for result in results]
                assert sorted(content["count"] for content in contents) == list(range(1, 13))
                assert len({content["pid"] for content in contents}) == 1


def test_sessions_begin_in_every_worker() -> None:
    said = "Host: here:80\r\n\r\n"
    assert destination(f"POST /mcp HTTP/1.1\r\n{said}".encode()) == (None, True)
    assert destination(f"POST /at/mcp?x=1 HTTP/1.1\r\nmcp-session-id: 1.7.abc\r\n{said}".encode()) == ("1.7", False)
    assert destination(f"POST /mcpx HTTP/1.1\r\nmcp-session-id: 1.7.abc\r\n{said}".encode()) == (None, False)


async def test_a_name_is_good_on_connections_to_every_worker(shared: ServerProcess) -> None:
    async with connected(shared) as clients:
        for home in clients:
            name = await begun(home)
            seen = [await counted(http, name) for http in (*clients, *clients)]
            assert [content["count"] for content in seen] == [1, 2, 3, 4]
            assert len({content["pid"] for content in seen}) == 1
            for http in clients:
                told = await http.post("/mcp", json={"jsonrpc": "2.0", "method": "notifications/x"}, headers={AGENT: name})
                assert (told.status_code, told.content) == (202, b"")
                again = await http.post("/mcp", json=rpc("initialize"), headers={AGENT: name})
                assert (again.status_code, again.headers[AGENT]) == (200, name)
            other = next(http for http in clients if http is not home)
            assert (await other.delete("/mcp", headers={AGENT: name})).status_code == 204
            for http in clients:
                gone = await http.post("/mcp", json=tool("count"), headers={AGENT: name})
                assert (gone.status_code, gone.json()["id"]) == (404, 1)
                assert (await http.delete("/mcp", headers={AGENT: name})).status_code == 404


async def test_a_name_in_the_message_is_good_everywhere_too(shared: ServerProcess) -> None:
    """In OpenEnv's own form, over HTTP and over sockets, and for the name that a player gives away."""
    url = shared.url.replace("http", "ws")
    async with connected(shared) as clients, contextlib.AsyncExitStack() as stack:

        async def ask(http: httpx.AsyncClient, message: dict[str, Any]) -> dict[str, Any]:
            answer: dict[str, Any] = (await http.post("/mcp", json=message)).json()
            return answer

        sockets = [await stack.enter_async_context(websockets.connect(f"{url}/mcp")) for _ in range(4)]
        for home in clients:
            name = (await ask(home, rpc("openenv/session/create")))["result"]["session_id"]
            assert [(await ask(http, tool("count", name)))["result"]["data"]["count"] for http in clients] == [1, 2]
            for count, socket in enumerate(sockets, 3):
                await socket.send(json.dumps(tool("count", name)))
                assert json.loads(await socket.recv())["result"]["data"]["count"] == count
            other = next(http for http in clients if http is not home)
            closed = await ask(other, rpc("openenv/session/close", session_id=name))
            assert closed["result"] == {"session_id": name, "closed": True}
            for http in clients:
                assert (await ask(http, tool("count", name)))["error"]["code"] == -32602
        for _ in range(2):
            player = await stack.enter_async_context(websockets.connect(f"{url}/ws"))
            await player.send(json.dumps({"type": "mcp", "data": rpc("openenv/session/create")}))
            name = json.loads(await player.recv())["data"]["result"]["session_id"]
            assert [(await counted(http, name))["count"] for http in clients] == [1, 2]
            assert (await ask(clients[0], tool("count", name)))["result"]["data"]["count"] == 3


async def test_a_named_session_is_asked_for_tasks_and_metadata_from_everywhere(shared: ServerProcess) -> None:
    async with connected(shared) as clients:
        for home in clients:
            opened = await home.post("/reset", headers={SESSION: "new"})
            session = opened.headers[SESSION]
            step = {"action": {"type": "call_tool", "tool_name": "count"}}
            assert (await home.post("/step", json=step, headers={SESSION: session})).is_success
            for http in clients:
                http.cookies.clear()
                number = await http.post("/Workshop/num_tasks", json={"split": "train"}, headers={SESSION: session})
                assert number.json() == {"num_tasks": 1}
                splits = await http.get("/Workshop/splits", headers={SESSION: session})
                assert [split["name"] for split in splits.json()] == ["train"]
            assert (await home.delete("/session", headers={SESSION: session})).status_code == 204
        unknown = await clients[0].post("/Workshop/num_tasks", json={"split": "train"}, headers={SESSION: "1.7.gone"})
        assert unknown.json() == {"num_tasks": 0}


async def test_a_named_session_is_asked_what_it_is(shared: ServerProcess) -> None:
    async with connected(shared) as (first, second):
        session = (await second.post("/reset", headers={SESSION: "new"})).headers[SESSION]
        told = [(await http.get("/metadata", headers={SESSION: session})).json() for http in (first, second)]
        assert told[0] == told[1]
        assert (await first.delete("/session", headers={SESSION: session})).status_code == 204


async def test_with_a_worker_its_agents_sessions_are_lost(own: ServerProcess) -> None:
    async with connected(own) as (first, second):
        name, kept = await begun(second), await begun(first)
        pid = (await counted(first, name))["pid"]
        asked = asyncio.ensure_future(first.post("/mcp", json=tool("nap", seconds=30), headers={AGENT: name}))
        await asyncio.to_thread(wait_until, lambda: "nap" in str(own.events()))
        os.kill(pid, signal.SIGKILL)
        interrupted = await asked
        assert (interrupted.status_code, interrupted.json()["id"]) == (404, 1)
        assert "ended during the call" in interrupted.json()["error"]["message"]
        for again in (False, True):
            if again:
                await another_in_its_place(own)
            told = ""
            while "ended during the call" in told or not told:  # until the parent has seen the death
                lost = await first.post("/mcp", json=tool("count"), headers={AGENT: name})
                assert lost.status_code == 404
                told = lost.json()["error"]["message"]
            assert "worker process 1.0, in which it lived, is no more" in told
            refused = (await first.post("/mcp", json=tool("count", name))).json()["error"]
            assert (refused["code"], "worker process 1.0" in refused["message"]) == (-32602, True)
            assert (await first.delete("/mcp", headers={AGENT: name})).status_code == 404
        assert (await counted(first, kept))["count"] == 1


async def another_in_its_place(server: ServerProcess) -> None:
    """Wait until the second worker has been started again."""
    name = ""
    while not name.startswith("1.1."):
        await asyncio.sleep(0.05)
        async with httpx.AsyncClient(base_url=server.url, trust_env=False) as http:
            await http.get("/health", headers={SESSION: "1.1."})
            name = await begun(http)


async def test_an_official_client_is_told_and_begins_anew(own: ServerProcess) -> None:
    async with SdkClient(f"{own.url}/mcp") as agent:
        content = (await agent.call_tool("count")).structured_content or {}
        os.kill(content["pid"], signal.SIGKILL)
        await asyncio.to_thread(wait_until, lambda: not alive(content["pid"]))
        # Until the parent knows, it may still hand a connection to the dead worker, and that one is lost.
        await asyncio.sleep(1.0)
        with pytest.raises(MCPError):
            await agent.call_tool("count")
    async with SdkClient(f"{own.url}/mcp") as agent:
        again = (await agent.call_tool("count")).structured_content or {}
        assert again["count"] == 1
        assert again["pid"] != content["pid"]
