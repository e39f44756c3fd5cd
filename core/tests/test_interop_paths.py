"""One program, written for the published package: served by it and by this project, it answers the same; so do clients."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import published_package
import pytest
from websockets.exceptions import ConnectionClosedOK
from websockets.sync.client import connect

from openenv import GenericEnvClient

pytestmark = [pytest.mark.interop, pytest.mark.timeout(600)]
VERSION = "0.10.0"


@pytest.fixture(scope="module")
def theirs() -> Iterator[str]:
    published_package.needed(VERSION)
    with published_package.serving(published_package.command(VERSION, "serve.py"), published_package.VARIABLES) as url:
        yield url


@pytest.fixture(scope="module")
def ours() -> Iterator[str]:
    with published_package.serving([sys.executable, str(published_package.PROGRAMS / "serve.py")], dict(os.environ)) as url:
        yield url


SAME_REPLIES: list[tuple[str, str, dict[str, Any] | None]] = [
    ("GET", "/health", None),
    ("GET", "/metadata", None),
    ("GET", "/list_environments", None),
    ("GET", "/Adder/splits", None),
    ("POST", "/Adder/tasks", {"split": "train"}),
    ("POST", "/Adder/num_tasks", {"split": "train"}),
    ("POST", "/Adder/task", {"split": "test", "index": 2}),
    ("POST", "/Adder/task", {"split": "test", "index": -1}),
    ("POST", "/Adder/task_range", {"split": "test"}),
    ("POST", "/Adder/task_range", {"split": "test", "start": 1, "stop": 3}),
    ("POST", "/reset", {"seed": 3, "episode_id": "e"}),
    ("POST", "/reset", {"seed": "3", "episode_id": None, "task": {"id": 1}}),
    ("POST", "/reset", None),
    ("POST", "/step", {"action": {"amount": 2}, "timeout_s": 5, "request_id": "r", "more": 1}),
]
SAME_REFUSALS: list[tuple[str, Any]] = [
    ("/reset", {"seed": -1}),
    ("/reset", {"seed": "x"}),
    ("/reset", {"seed": 1.5}),
    ("/reset", {"episode_id": 5}),
    ("/reset", {"episode_id": "x" * 256}),
    ("/reset", [1]),
    ("/reset", "not an object"),
    ("/step", {}),
    ("/step", {"action": None}),
    ("/step", {"action": {"amount": 2}, "timeout_s": -1}),
    ("/step", {"action": {"amount": 2}, "request_id": 7}),
    ("/other/splits", {}),
    ("/Adder/num_tasks", {}),
    ("/Adder/task", {"split": "test", "index": "x"}),
    ("/Adder/task", {"split": "test", "index": 20}),
    ("/Adder/tasks", {}),
    ("/Adder/tasks", {"split": "test", "more": 1}),
    ("/other/tasks", {"split": "test"}),
    ("/step", {"action": {"colour": "red"}}),
    ("/nowhere", {}),
]


def test_routes_answer_alike(theirs: str, ours: str) -> None:
    assert ["/session" in httpx.get(f"{url}/openapi.json").json()["paths"] for url in (theirs, ours)] == [False, True]
    for method, path, body in SAME_REPLIES:
        replies = [httpx.request(method, f"{url}{path}", json=body) for url in (theirs, ours)]
        assert [reply.status_code for reply in replies] == [200, 200], path
        assert replies[0].json() == replies[1].json(), path
    action, own = (httpx.get(f"{url}/schema").json()["action"] for url in (theirs, ours))
    assert (action["properties"].keys(), action["required"]) == (own["properties"].keys(), own["required"])


def test_every_route_of_theirs_is_here(theirs: str, ours: str) -> None:
    """Beside theirs: what ends a session, of players and of MCP clients."""
    routes = [
        {(path, method) for path, methods in httpx.get(f"{url}/openapi.json").json()["paths"].items() for method in methods}
        for url in (theirs, ours)
    ]
    assert routes[1] - routes[0] == {("/session", "delete"), ("/mcp", "delete")}
    assert routes[0] - routes[1] == set()
    for path in ("/docs", "/redoc"):
        assert [httpx.get(f"{url}{path}").status_code for url in (theirs, ours)] == [200, 200]


def test_what_is_no_json_is_refused_alike(theirs: str, ours: str) -> None:
    headers = {"Content-Type": "application/json"}
    for path in ("/reset", "/step", "/Adder/task", "/mcp"):
        for body in (b"not json", b"\xff\xfe", b"null"):
            replies = [httpx.post(f"{url}{path}", content=body, headers=headers) for url in (theirs, ours)]
            assert replies[0].status_code == replies[1].status_code == (200 if path == "/mcp" else 422), (path, body)


def test_over_http_an_episode_goes_on_here(theirs: str, ours: str) -> None:
    """Every call of theirs is for a fresh environment; here a step follows the reset before it (protocol: HTTP sessions)."""
    assert httpx.get(f"{theirs}/state").json()["step_count"] == 0
    for url, total in ((theirs, 3), (ours, 5)):
        with httpx.Client(base_url=url) as http:
            http.post("/reset")
            http.post("/step", json={"action": {"amount": 2}})
            assert http.post("/step", json={"action": {"amount": 3}}).json()["observation"]["total"] == total
            assert http.get("/state").json()["step_count"] == (2 if url == ours else 0)
            failed = http.post("/step", json={"action": {"amount": -1}})
            assert failed.status_code == 500
    assert failed.json()["detail"] == "amount must not be negative"  # theirs says only that it failed


def test_routes_refuse_alike(theirs: str, ours: str) -> None:
    httpx.post(f"{ours}/reset")
    for path, body in SAME_REFUSALS:
        replies = [httpx.post(f"{url}{path}", json=body) for url in (theirs, ours)]
        assert replies[0].status_code == replies[1].status_code, path
        assert all("detail" in reply.json() for reply in replies), path


FRAMES = [
    '{"type":"reset","data":{"seed":7,"episode_id":"e","task":{"id":3}}}',
    '{"type":"state"}',
    '{"type":"step","data":{"amount":4}}',
    '{"type":"step","data":{"amount":-1}}',
    '{"type":"step","data":{"colour":"red"}}',
    '{"type":"step"}',
    '{"type":"state","data":{}}',
    '{"type":"dance"}',
    "not json",
    '{"type":"step","data":{"amount":6}}',
    '{"type":"state"}',
    '{"type":"reset"}',
    '{"type":"state"}',
    '{"type":"reset","data":{"seed":"any","more":1,"timeout_s":3}}',
    '{"type":"reset","data":[1]}',
    '{"type":"reset","data":null}',
    '{"type":"reset","more":1}',
    '{"type":"step","data":{"amount":"3","metadata":{"a":1}}}',
    '{"type":"step","data":[]}',
    '{"type":"step","data":{"amount":1},"id":5}',
    '{"type":"close","data":{}}',
    '{"type":"mcp"}',
    '{"type":"mcp","data":[]}',
    '{"data":{}}',
    '{"type":null}',
    '{"type":5}',
    '{"type":"mcp","data":{"jsonrpc":"2.0","id":1,"method":"dance"}}',
]


def refusal(data: dict[str, Any]) -> tuple[str, list[tuple[str, list[str | int]]]]:
    """Return what a caller reads of an error: its code, and each place that does not fit."""
    return data["code"], [(error["type"], error["loc"]) for error in data.get("errors", [])]


def test_frames_are_answered_alike(theirs: str, ours: str) -> None:
    transcripts = []
    for url in (theirs, ours):
        with connect(f"{url.replace('http', 'ws')}/ws") as socket_:
            told = []
            for frame in FRAMES:
                socket_.send(frame)
                reply = json.loads(socket_.recv(timeout=10))
                told.append(refusal(reply["data"]) if reply["type"] == "error" else reply)
            socket_.send('{"type":"close"}')
            with pytest.raises(ConnectionClosedOK):
                socket_.recv(timeout=10)
            transcripts.append(told)
    for frame, their_reply, our_reply in zip(FRAMES, *transcripts, strict=True):
        assert their_reply == our_reply, frame


NO_MESSAGES: list[str | bytes] = ["[]", "null", "5", '""', "", b'{"type":"dance"}']


def test_a_socket_outlives_what_is_no_message(theirs: str, ours: str) -> None:
    """Theirs closes after a frame that is JSON but no object, or bytes; here only that frame is refused, as protocol says."""
    for frame in NO_MESSAGES:
        with connect(f"{theirs.replace('http', 'ws')}/ws") as socket_:
            socket_.send(frame)
            assert json.loads(socket_.recv(timeout=10))["type"] == "error"
    with connect(f"{ours.replace('http', 'ws')}/ws") as socket_:
        for frame in NO_MESSAGES:
            socket_.send(frame)
            code = "INVALID_JSON" if isinstance(frame, str) else "UNKNOWN_TYPE"
            assert json.loads(socket_.recv(timeout=10))["data"]["code"] == code
        socket_.send('{"type":"reset"}')
        assert json.loads(socket_.recv(timeout=10))["type"] == "observation"


def test_an_environment_without_tools_says_so_alike(theirs: str, ours: str) -> None:
    for method, params in (("tools/list", {}), ("tools/call", {"name": "x"}), ("tools/call", {}), ("dance", {})):
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        codes = [httpx.post(f"{url}/mcp", json=message).json()["error"]["code"] for url in (theirs, ours)]
        assert codes[0] == codes[1], message


@pytest.mark.parametrize("transport", ["http", "websocket"])
def test_our_client_lists_the_tasks_of_both(theirs: str, ours: str, transport: str) -> None:
    for url in (theirs, ours) if transport == "http" else (ours,):
        with GenericEnvClient(url, transport=transport).sync() as env:
            assert [split.name for split in env.list_splits()] == ["train", "test", "hard"]
            assert env.num_tasks("train") == 4
            assert env.get_task_range("train", 1, 3) == [{"id": n, "split": "train"} for n in (1, 2)]


def test_a_program_of_theirs_plays_alike_with_either_client(theirs: str, ours: str) -> None:
    program = str(published_package.PROGRAMS / "play.py")
    transcripts = []
    for url in (theirs, ours):
        command = [sys.executable, "-W", "error", program, url, "3", "4", "5"]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
        transcripts.append(json.loads(done.stdout))
    command = published_package.command(VERSION, "play.py", ours, "3", "4", "5")
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60, env=published_package.VARIABLES)
    transcripts.append(json.loads(done.stdout))
    for transcript in transcripts:
        assert len(transcript.pop("errors")) == 2
    assert transcripts[0] == transcripts[1] == transcripts[2]
