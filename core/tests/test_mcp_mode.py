"""What an agent cannot reach: reset, step and state, on any route of a server in production and by any tool's name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import msgpack
import pytest
from mcp import Client as SdkClient
from serving import running
from toolboxes import Kit
from websockets.sync.client import connect

from openenv import EnvClient, GenericEnvClient
from openenv.client.tools import MCPToolClient
from openenv.contract import ServerMode
from openenv.errors import UnknownMessageTypeError, UsageError
from openenv.server import create_app, create_fastapi_app, create_web_interface_app

CONTROL = ("reset", "step", "state")


@pytest.fixture(scope="module")
def production_url() -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ENABLE_WEB_INTERFACE", "true")
        app = create_app(Kit, mode="production")
    with running(app) as address:
        yield address


@pytest.fixture(scope="module")
def simulation_url() -> Iterator[str]:
    with running(create_app(Kit)) as address:
        yield address


def rpc(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": params, "id": 1}


def test_production_has_no_route_of_control(production_url: str) -> None:
    with httpx.Client(base_url=production_url) as http:
        of_the_page = ("/", "/web", "/web/", "/web/reset", "/web/step", "/web/state", "/web/metadata", "/web/config", "/ws/ui")
        for path in ("/reset", "/step", "/state", "/session", "/ws/reset", *of_the_page):
            for method in ("GET", "POST", "PUT", "DELETE"):
                assert http.request(method, path, json={"action": {"by": 1}}).status_code == 404, (method, path)
        assert http.get("/health").json() == {"status": "healthy"}
        assert {"/mcp", "/health", "/schema", "/metadata"} == set(http.get("/openapi.json").json()["paths"])
        assert http.post("/mcp", json=rpc("tools/call", name="look")).json()["result"]["data"] == "the real thing"


def test_the_playground_is_not_there_in_production_even_where_it_is_asked_for() -> None:
    app = create_web_interface_app(Kit, mode="production")
    assert [path for route in app.routes if (path := getattr(route, "path", "")).startswith(("/web", "/ws/ui"))] == []


@pytest.mark.parametrize("kind", [*CONTROL, "render", "lanes", "page"])
def test_production_takes_no_message_of_control(production_url: str, kind: str) -> None:
    socket_url = f"{production_url.replace('http', 'ws')}/ws"
    data = {"by": 1, "count": 2}
    message = {"type": kind} if kind == "state" else {"type": kind, "data": data}
    with connect(socket_url) as socket:
        socket.send(json.dumps(message))
        reply = json.loads(socket.recv(5))
        assert (reply["type"], reply["data"]["code"]) == ("error", "UNKNOWN_TYPE")
        socket.send(json.dumps({"type": "mcp", "data": rpc("tools/call", name="count")}))
        assert json.loads(socket.recv(5))["data"]["result"]["data"] == {"count": 1}
    for name, load, dump in (
        ("openenv.v2.json", json.loads, json.dumps),
        ("openenv.v2.msgpack", msgpack.unpackb, msgpack.packb),
    ):
        with connect(socket_url, subprotocols=[name]) as socket:  # type: ignore[list-item]
            assert load(socket.recv(5))["type"] == "hello"
            for number, lanes in enumerate(({}, {"lanes": [0]}), start=1):
                if lanes and kind not in CONTROL:
                    continue
                socket.send(dump({"type": kind, "id": number, "data": [data] if lanes else data, **lanes}))
                reply = load(socket.recv(5))
                assert (reply["type"], reply["id"], reply["data"]["code"]) == ("error", number, "UNKNOWN_TYPE")


async def test_in_production_clients_call_tools_and_nothing_else(production_url: str) -> None:
    with MCPToolClient(base_url=production_url, mode="production").sync() as env:
        assert env.call_tool("look") == "the real thing"
        with pytest.raises(UnknownMessageTypeError, match="production"):
            env.reset()
        assert env.call_tool("count") == {"count": 1}
    with GenericEnvClient(base_url=production_url).sync() as plain, pytest.raises(UnknownMessageTypeError, match="production"):
        plain.state()
    async with SdkClient(f"{production_url}/mcp") as agent:
        assert (await agent.call_tool("look")).structured_content == {"result": "the real thing"}


def test_in_production_nothing_can_be_controlled_in_process_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENENV_MODE", "production")
    with MCPToolClient.from_environment(Kit).sync() as env:
        assert env.call_tool("look") == "the real thing"
        with pytest.raises(UnknownMessageTypeError, match="production"):
            env.step({"by": 1})


@pytest.mark.parametrize(
    "name", [*CONTROL, "close", "_step_impl", "__init__", "server_mode", "toolbox", "execute_code", "env/reset"]
)
def test_an_agent_tries_to_reach_what_is_no_tool(simulation_url: str, production_url: str, name: str) -> None:
    for url in (simulation_url, production_url):
        with httpx.Client(base_url=url) as http:
            begun = http.post("/mcp", json=rpc("initialize", protocolVersion="2025-06-18"))
            assert begun.json()["result"]["protocolVersion"] == "2025-06-18"
            agent = {"Mcp-Session-Id": begun.headers["Mcp-Session-Id"]}
            assert http.post("/mcp", json=rpc("tools/call", name="count"), headers=agent).json()["result"]
            for headers in (agent, {}):
                for message in (rpc(name), rpc(f"openenv/{name}"), rpc("tools/call", name=name, arguments={})):
                    assert "error" in http.post("/mcp", json=message, headers=headers).json(), message
            counted = http.post("/mcp", json=rpc("tools/call", name="count"), headers=agent).json()["result"]
            assert counted["structuredContent"] == {"count": 2}
            assert name not in {tool["name"] for tool in http.post("/mcp", json=rpc("tools/list")).json()["result"]["tools"]}


def test_an_agents_name_for_its_session_opens_no_other_door(simulation_url: str) -> None:
    with httpx.Client(base_url=simulation_url) as http:
        mine = http.post("/mcp", json=rpc("initialize")).headers["Mcp-Session-Id"]
        theirs = http.post("/mcp", json=rpc("openenv/session/create")).json()["result"]["session_id"]
        for name in (mine, theirs):
            http.post("/mcp", json=rpc("tools/call", name="count", session_id=name))
            header = {"X-OpenEnv-Session": name}
            for method, path in (("POST", "/reset"), ("POST", "/step"), ("GET", "/state"), ("DELETE", "/session")):
                reply = http.request(method, path, json={"action": {"by": 1}}, headers=header)
                assert (reply.status_code, reply.json()["code"]) == (404, "SESSION_UNKNOWN")
            with connect(
                f"{simulation_url.replace('http', 'ws')}/ws",
                subprotocols=["openenv.v2.json", f"openenv.session.{name}"],  # type: ignore[list-item]
            ) as socket:
                assert json.loads(socket.recv(5))["data"]["code"] == "SESSION_UNKNOWN"
        counted = http.post("/mcp", json=rpc("tools/call", name="count", session_id=theirs)).json()
        assert counted["result"]["data"] == {"count": 2}


def test_a_tool_that_never_returns_ends_its_agents_session() -> None:
    """An agent cannot reset a stuck environment, so it gets a new session."""
    with running(create_app(Kit, mode="production", step_timeout_s=0.3)) as url, httpx.Client(base_url=url) as http:
        agent = {"Mcp-Session-Id": http.post("/mcp", json=rpc("initialize")).headers["Mcp-Session-Id"]}
        late = http.post("/mcp", json=rpc("tools/call", name="nap", arguments={"seconds": 2}), headers=agent).json()
        assert late["error"]["data"]["code"] == "TIMEOUT"
        assert http.post("/mcp", json=rpc("tools/call", name="count"), headers=agent).status_code == 404
        assert http.post("/mcp", json=rpc("tools/call", name="count"), headers=agent).status_code == 404
        fresh = {"Mcp-Session-Id": http.post("/mcp", json=rpc("initialize")).headers["Mcp-Session-Id"]}
        counted = http.post("/mcp", json=rpc("tools/call", name="count"), headers=fresh).json()
        assert counted["result"]["structuredContent"] == {"count": 1}


def test_the_mode_is_an_argument_a_variable_or_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def paths(**options: Any) -> set[str]:
        return set(create_fastapi_app(Kit, **options).openapi()["paths"])

    assert "/reset" in paths()
    assert "/reset" not in paths(mode=ServerMode.PRODUCTION)
    monkeypatch.setenv("OPENENV_MODE", "production")
    assert "/reset" not in paths()
    assert "/reset" in paths(mode="simulation")
    with pytest.raises(UsageError, match="'simulation', 'production'"):
        paths(mode="rehearsal")
    monkeypatch.setenv("OPENENV_MODE", "rehearsal")
    with pytest.raises(UsageError, match="'simulation', 'production'"):
        paths()


def test_a_server_without_tools_says_so(counter_url: str) -> None:
    assert "has no tools" in httpx.post(f"{counter_url}/mcp", json=rpc("tools/list")).json()["error"]["message"]
    assert issubclass(MCPToolClient, EnvClient)
