"""The published package's tool client calls our server's tools, and ours its."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator

import httpx
import published_package
import pytest
from serving import running
from toolboxes import Kit, Served

from openenv.client.tools import MCPToolClient
from openenv.contract.tools import CallToolAction, ListToolsAction, ListToolsObservation
from openenv.errors import ExecutionError
from openenv.launch.readiness import answers
from openenv.server import create_app

pytestmark = [pytest.mark.interop, pytest.mark.timeout(600)]

VERSION = "0.10.0"
THEIRS = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
"""Environment variables under which their python finds their package, not ours."""


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    if not published_package.is_installed(VERSION):
        if os.environ.get("CI") != "true":
            pytest.skip(f"the published {VERSION} is not here: python core/tests/published_package.py installs it")
        published_package.install(VERSION)


@pytest.fixture(scope="module")
def their_url() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = published_package.command(VERSION, "serve_tools.py", str(port))
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=THEIRS)
    try:
        assert answers(f"http://127.0.0.1:{port}", 60, alive=lambda: server.poll() is None)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


@pytest.mark.parametrize("kit", [Kit, Served])
def test_their_client_calls_our_tools(kit: type[Kit]) -> None:
    with running(create_app(kit)) as url:
        command = published_package.command(VERSION, "call_tools.py", url)
        seen = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=60, env=THEIRS).stdout)
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

    def rpc(method: str, **params: object) -> dict[str, object]:
        return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}

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
        rpc("reset"),
        {"method": "tools/list"},
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
                result = theirs.json()["result"]
                assert result.keys() <= ours.json()["result"].keys()
                assert [ours.json()["result"][name] for name in ("data", "is_error")] == [result["data"], result["is_error"]]
