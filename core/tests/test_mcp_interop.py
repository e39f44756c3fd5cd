"""The published package's tool client calls our server's tools, and ours its."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import httpx
import published_package
import pytest
from serving import running
from toolboxes import Kit, Served
from websockets.sync.client import connect

from openenv.client.tools import MCPToolClient
from openenv.contract.tools import CallToolAction, CallToolObservation, ListToolsAction, ListToolsObservation
from openenv.errors import ExecutionError
from openenv.server import create_app

pytestmark = [pytest.mark.interop, pytest.mark.timeout(600)]

VERSION = "0.10.0"


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    published_package.needed(VERSION)


@pytest.fixture(scope="module")
def their_url() -> Iterator[str]:
    command = published_package.command(VERSION, "serve_tools.py")
    with published_package.serving(command, published_package.VARIABLES, stderr=subprocess.DEVNULL) as url:
        yield url


def rpc(method: str, **params: object) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


@pytest.mark.parametrize("kit", [Kit, Served])
def test_their_client_calls_our_tools(kit: type[Kit]) -> None:
    with running(create_app(kit)) as url:
        command = published_package.command(VERSION, "call_tools.py", url)
        seen = json.loads(
            subprocess.run(
                command, check=True, capture_output=True, text=True, timeout=60, env=published_package.VARIABLES
            ).stdout
        )
    assert {"add", "count", "fail"} <= set(seen["tools"])
    assert (seen["add"], seen["has"]) == (3, True)
    assert seen["counted"] == [{"count": 1}, {"count": 2}]
    told = ("bad luck", "nothing", "integer")
    assert len(seen["errors"]) == len(told)
    assert [text for text, part in zip(seen["errors"], told, strict=True) if part not in text] == []


def test_our_client_calls_their_tools(their_url: str) -> None:
    with MCPToolClient(base_url=their_url).sync() as env:
        env.reset()
        assert {tool.name for tool in env.list_tools()} == {"add", "count", "fail"}
        assert env.call_tool("add", a=1) == 2
        assert [env.call_tool("count") for _ in range(2)] == [{"count": 1}, {"count": 2}]
        for name in ("fail", "nothing"):
            with pytest.raises(ExecutionError, match=name):
                env.call_tool(name, why="x")
        listed = env.step(ListToolsAction()).observation
        assert isinstance(listed, ListToolsObservation)
        assert env.step(CallToolAction(tool_name="count")).observation.result["data"] == {"count": 3}  # type: ignore[attr-defined]


def test_json_rpc_answers_are_theirs(their_url: str) -> None:
    """The same messages get the same codes, the same values, and at least the same fields."""

    messages = [
        rpc("tools/call", name="add", arguments={"a": 1}),
        rpc("tools/call", name="count", arguments={}),
        rpc("tools/call", name="fail", arguments={"why": "x"}),
        rpc("tools/call", name="nothing", arguments={}),
        rpc("tools/call", name="add", arguments={"a": "one"}),
        rpc("tools/call", arguments={}),
        rpc("tools/call", name="count", arguments={}, session_id="nobody's"),
        rpc("openenv/session/close"),
        rpc("openenv/session/close", session_id="nobody's"),
        rpc("tools/call", name="fail"),
        rpc("tools/list"),
        rpc("reset"),
        rpc("ping"),
        {"method": "tools/list"},
        {"jsonrpc": "2.0", "method": "tools/list"},
        {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": []},
        {"jsonrpc": "2.0", "id": 1.5, "method": "tools/list"},
        {"jsonrpc": "2.0", "id": "x", "method": "tools/list", "colour": "red"},
        [],
    ]
    with running(create_app(Served)) as our_url:
        for message in messages:
            theirs, ours = (httpx.post(f"{url}/mcp", json=message) for url in (their_url, our_url))
            assert ours.status_code == theirs.status_code
            assert ours.json().keys() == theirs.json().keys(), message
            if "error" in theirs.json():
                assert ours.json()["error"]["code"] == theirs.json()["error"]["code"], message
            else:
                result, own = theirs.json()["result"], ours.json()["result"]
                assert result.keys() <= own.keys()
                assert [own.get(name) for name in ("data", "is_error")] == [result.get(name) for name in ("data", "is_error")]


def test_the_session_of_a_socket_is_played_alike(their_url: str) -> None:
    """Over `/ws`, over `/mcp`, and by the name that a socket's session gets; theirs needs no reset before either."""
    seen = []
    with running(create_app(Served)) as our_url:
        for url in (their_url, our_url):
            told: list[Any] = []
            for path in ("/ws", "/mcp"):
                with connect(f"{url.replace('http', 'ws')}{path}") as socket_:

                    def ask(message: dict[str, Any], path: str = path, socket_: Any = socket_) -> dict[str, Any]:
                        socket_.send(json.dumps(message if path == "/mcp" else {"type": "mcp", "data": message}))
                        reply = json.loads(socket_.recv(timeout=20))
                        answer: dict[str, Any] = reply if path == "/mcp" else reply["data"]
                        return answer

                    told += [ask(rpc("tools/call", name="count", arguments={}))["result"]["data"] for _ in range(2)]
                    name = ask(rpc("openenv/session/create"))["result"]["session_id"]
                    by_name = rpc("tools/call", name="count", arguments={}, session_id=name)
                    told.append(httpx.post(f"{url}/mcp", json=by_name).json()["result"]["data"])
                    told.append([ask(rpc(method))["error"]["code"] for method in ("reset", "openenv/session/close")])
                    told.append(ask(rpc("openenv/session/close", session_id="nobody's"))["error"]["code"])
                    told.append(ask(rpc("tools/call", name="nothing"))["error"]["code"])
                    if path == "/ws":
                        told.append(ask(rpc("openenv/session/close", session_id=name))["error"]["code"])
                        told.append(ask(rpc("tools/call", name="count", arguments={}))["result"]["data"])
            seen.append(told)
    assert seen[0] == seen[1]


def test_steps_with_tools_are_answered_alike(their_url: str) -> None:
    """The published server calls arguments that a FastMCP tool does not take an `execution_error`; here `invalid_args` says so.

    Blocks of content leave out here what is null there: MCP clients read the same blocks, and take no null.
    """
    actions: list[dict[str, Any]] = [
        {"type": "call_tool", "tool_name": "add", "arguments": {"a": 1}},
        {"tool_name": "count"},
        {"type": "list_tools"},
        {"type": "call_tool", "tool_name": "nothing"},
        {"type": "call_tool", "tool_name": "fail", "arguments": {"why": "x"}},
        {"type": "call_tool"},
        {"type": "dance"},
        {"type": "call_tool", "tool_name": "add", "arguments": {"a": "one"}},
    ]
    seen = []
    app = create_app(Served, CallToolAction, CallToolObservation)
    with running(app) as our_url:
        for url in (their_url, our_url):
            with connect(f"{url.replace('http', 'ws')}/ws") as socket_:

                def step(action: dict[str, Any], socket_: Any = socket_) -> Any:
                    socket_.send(json.dumps({"type": "step", "data": action}))
                    return read(json.loads(socket_.recv(timeout=20)))

                seen.append([step(action) for action in actions])
    assert seen[0][:-1] == seen[1][:-1]
    assert (seen[0][-1], seen[1][-1]) == ("execution_error", "invalid_args")


def read(reply: dict[str, Any]) -> Any:
    """Return what a caller reads of a reply to a step with a tool."""
    data = reply["data"]
    if reply["type"] == "error":
        return data["code"], [(error["type"], error["loc"]) for error in data["errors"]]
    observation = data["observation"]
    if "tools" in observation:
        return {tool["name"] for tool in observation["tools"]} & {"add", "count", "fail"}
    if observation["error"] is not None:
        return observation["error"]["error_type"]
    result = observation["result"]
    texts = [block["text"] for block in result.pop("content")]
    return observation.keys(), result, texts, data["reward"], data["done"]
