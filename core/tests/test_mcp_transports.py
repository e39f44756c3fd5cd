"""An agent's ways to tools: the official SDK's client, JSON-RPC over HTTP and sockets, and this package's own client."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from mcp import Client as SdkClient
from mcp import MCPError
from serving import running
from toolboxes import Kit, Served, Waiting
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from openenv.client.tools import MCPToolClient, SyncToolClient
from openenv.contract.tools import CallToolAction, CallToolObservation, ListToolsAction, ListToolsObservation
from openenv.errors import ExecutionError, InvalidActionError, NotSupportedError
from openenv.server import create_app

ENVIRONMENTS: dict[str, dict[str, Any]] = {
    "functions": {"env": Kit},
    "fastmcp": {"env": Served},
    "awaited": {"env": Waiting},
    "process": {"env": Kit, "isolation": "process", "warm_processes": 1},
}


@pytest.fixture(scope="module", params=list(ENVIRONMENTS))
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with running(create_app(**ENVIRONMENTS[request.param])) as address:
        yield address


@pytest.fixture(scope="module")
def kit_url() -> Iterator[str]:
    with running(create_app(Kit)) as address:
        yield address


def rpc(method: str, number: int | str = 1, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": params, "id": number}


def tool(name: str, number: int | str = 1, session_id: str | None = None, **arguments: Any) -> dict[str, Any]:
    session = {} if session_id is None else {"session_id": session_id}
    return rpc("tools/call", number, name=name, arguments=arguments, **session)


async def test_the_official_client_lists_and_calls(url: str) -> None:
    async with SdkClient(f"{url}/mcp") as agent:
        assert {"add", "fail", "count"} <= {found.name for found in (await agent.list_tools()).tools}
        assert (await agent.call_tool("add", {"a": 1, "b": 2})).structured_content == {"result": 3}
        counted = [(await agent.call_tool("count")).structured_content for _ in range(3)]
        assert counted == [{"count": 1}, {"count": 2}, {"count": 3}]
        failed = await agent.call_tool("fail", {"why": "out of luck"})
        assert failed.is_error
        assert "out of luck" in str(failed.content)
        for name, arguments in (("nothing", {}), ("add", {"a": "one"})):
            with pytest.raises(MCPError):
                await agent.call_tool(name, arguments)


async def test_each_agent_has_its_own_environment(kit_url: str) -> None:
    async with SdkClient(f"{kit_url}/mcp") as one, SdkClient(f"{kit_url}/mcp") as other:
        assert (await one.call_tool("count")).structured_content == {"count": 1}
        assert (await other.call_tool("count")).structured_content == {"count": 1}


async def test_a_tool_that_blocks_blocks_only_its_session(url: str) -> None:
    async with SdkClient(f"{url}/mcp") as sleeper, SdkClient(f"{url}/mcp") as other:
        await other.call_tool("count")
        await sleeper.call_tool("count")
        nap = asyncio.create_task(sleeper.call_tool("nap", {"seconds": 1.5}))
        await asyncio.sleep(0.1)
        begun = time.monotonic()
        for _ in range(5):
            await other.call_tool("add", {"a": 1, "b": 1})
        assert time.monotonic() - begun < 1.2
        assert not nap.done()
        assert (await nap).structured_content == {"result": "rested"}


def test_json_rpc_over_http(url: str) -> None:
    with httpx.Client(base_url=url) as http:

        def ask(message: Any) -> dict[str, Any]:
            answer: dict[str, Any] = http.post("/mcp", json=message).json()
            return answer

        listed = ask(rpc("tools/list", "first"))
        assert listed["id"] == "first"
        assert "inputSchema" in listed["result"]["tools"][0]
        assert ask(tool("add", a=1, b=2))["result"]["data"] == 3
        assert [ask(tool("count"))["result"]["data"] for _ in range(2)] == [{"count": 1}, {"count": 1}]
        session = ask(rpc("openenv/session/create"))["result"]["session_id"]
        assert [ask(tool("count", session_id=session))["result"]["data"]["count"] for _ in range(2)] == [1, 2]
        assert ask(rpc("openenv/session/close", session_id=session))["result"] == {"session_id": session, "closed": True}
        assert ask(tool("count", session_id=session))["error"]["code"] == -32602
        codes = [ask(message)["error"]["code"] for message in (rpc("nothing"), {"method": "x"}, [1], tool("nothing"))]
        assert codes == [-32601, -32600, -32700, -32603]
        assert "bad luck" in ask(tool("fail", why="bad luck"))["error"]["message"]
        assert http.post("/mcp", content=b"{").json()["error"]["code"] == -32700
        assert http.post("/mcp", json=rpc("tools/list"), headers={"Origin": "http://evil.example"}).status_code == 403
        assert http.get("/mcp").status_code == 405


def test_json_rpc_over_a_socket_is_one_session(url: str) -> None:
    with connect(f"{url.replace('http', 'ws')}/mcp") as socket:

        def ask(message: Any) -> dict[str, Any]:
            socket.send(json.dumps(message))
            answer: dict[str, Any] = json.loads(socket.recv(10))
            return answer

        assert [ask(tool("count", number))["result"]["data"]["count"] for number in (1, 2)] == [1, 2]
        session = ask(rpc("openenv/session/create"))["result"]["session_id"]
        same = httpx.post(f"{url}/mcp", json=tool("count", session_id=session)).json()
        assert same["result"]["data"]["count"] == 3
        assert ask([])["error"]["code"] == -32700
        assert ask(rpc("nothing"))["error"]["code"] == -32601
        assert ask(rpc("openenv/session/close", session_id=session))["result"]["closed"]
        with pytest.raises(ConnectionClosed):
            socket.recv(5)
    assert httpx.post(f"{url}/mcp", json=tool("count", session_id=session)).json()["error"]["code"] == -32602
    with pytest.raises(InvalidStatus):
        connect(f"{url.replace('http', 'ws')}/mcp", origin=Origin("http://evil.example"))


def test_the_tool_client_blocking(url: str) -> None:
    with MCPToolClient(base_url=url).sync() as env:
        assert isinstance(env, SyncToolClient)
        env.reset()
        assert env.has_tool("add")
        assert not env.has_tool("nothing")
        assert env.get_tool("add") is env.list_tools()[[found.name for found in env.list_tools()].index("add")]
        assert env.list_tools(use_cache=False) == env.list_tools()
        assert env.call_tool("add", a=2) == 3
        assert env.call_tool("count") == {"count": 1}
        stepped = env.step(CallToolAction(tool_name="count")).observation
        assert isinstance(stepped, CallToolObservation)
        assert stepped.result["data"] == {"count": 2}
        assert isinstance(env.step(ListToolsAction()).observation, ListToolsObservation)
        assert env.step({"by": 5}).reward == 5.0
        assert env.call_tool("count") == {"count": 8}
        with pytest.raises(ExecutionError, match="bad luck"):
            env.call_tool("fail", why="bad luck")
        for name, arguments in (("nothing", {}), ("add", {"a": "one"}), ("reset", {})):
            with pytest.raises(InvalidActionError, match=name):
                env.call_tool(name, **arguments)
        env.reset()
        assert env.call_tool("count") == {"count": 1}


async def test_the_tool_client_awaited(url: str) -> None:
    async with MCPToolClient(base_url=url) as env:
        await env.reset()
        assert await env.has_tool("add")
        assert [found.name for found in await env.list_tools()] == [found.name for found in await env.list_tools()]
        assert await env.call_tool("doze", seconds=0.01) == "dozed"


def test_tools_in_this_process_and_with_lanes() -> None:
    with MCPToolClient.from_environment(Kit).sync() as env:
        env.reset()
        assert env.call_tool("add", a=1) == 2
        assert env.call_tool("whereabouts") is True


def test_on_a_session_of_lanes_tools_are_those_of_the_first(url: str) -> None:
    with connect(f"{url.replace('http', 'ws')}/ws", subprotocols=["openenv.v2.json"]) as socket:  # type: ignore[list-item]
        socket.recv(5)

        def ask(number: int, kind: str, data: Any, **more: Any) -> Any:
            socket.send(json.dumps({"type": kind, "id": number, "data": data, **more}))
            return json.loads(socket.recv(10))["data"]

        ask(1, "lanes", {"count": 2})
        ask(2, "reset", [{}, {}], lanes=[0, 1])
        ask(3, "step", [{"by": 4}, {"by": 5}], lanes=[0, 1])
        assert ask(4, "mcp", tool("count"))["result"]["data"] == {"count": 5}
        assert ask(5, "mcp", tool("nothing"))["error"]["data"]["error_type"] == "tool_not_found"


def test_over_http_the_client_says_that_tools_need_a_socket(kit_url: str) -> None:
    from openenv import GenericEnvClient
    from openenv.client.transport import Call

    with GenericEnvClient(base_url=kit_url, transport="http").sync() as env:
        env.reset()
        with pytest.raises(NotSupportedError, match="WebSocket"):
            env.async_client._do_blocking(Call("mcp", rpc("tools/list"), 5.0), dict)


async def test_an_agent_joins_the_episode_of_who_hands_out_a_name(kit_url: str) -> None:
    """The player resets and steps; the agent reaches the tools of that episode, and cannot end it."""
    with connect(f"{kit_url.replace('http', 'ws')}/ws") as player:

        def ask(kind: str, **data: Any) -> dict[str, Any]:
            player.send(json.dumps({"type": kind, "data": data}))
            answer: dict[str, Any] = json.loads(player.recv(5))["data"]
            return answer

        ask("reset")
        ask("step", by=41)
        name = ask("mcp", **rpc("openenv/session/create"))["result"]["session_id"]
        async with httpx.AsyncClient(base_url=kit_url) as http:
            joined = await http.post("/mcp", json=rpc("initialize"), headers={"Mcp-Session-Id": name})
            assert joined.headers["Mcp-Session-Id"] == name
            called = await http.post("/mcp", json=tool("count"), headers={"Mcp-Session-Id": name})
            assert called.json()["result"]["structuredContent"] == {"count": 42}
            assert (await http.delete("/mcp", headers={"Mcp-Session-Id": name})).status_code == 204
            gone = await http.post("/mcp", json=tool("count"), headers={"Mcp-Session-Id": name})
            assert gone.status_code == 404
        assert ask("mcp", **tool("count"))["result"]["data"] == {"count": 43}


def test_a_client_brings_no_mcp_library() -> None:
    code = (
        "import sys, openenv.client.tools, openenv.server, openenv.mcp; "
        "print([m for m in ('mcp', 'mcp_types', 'fastmcp') if m in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
