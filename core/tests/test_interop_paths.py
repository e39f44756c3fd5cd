"""One program, written for the published package: served by it and by this project, it answers the same; so do clients."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import published_package
import pytest
from websockets.sync.client import connect

from openenv import GenericEnvClient
from openenv.launch.readiness import answers

pytestmark = [pytest.mark.interop, pytest.mark.timeout(600)]
VERSION = "0.10.0"


@contextmanager
def serving(command: list[str], env: dict[str, str]) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen([*command, str(port)], env=env)
    try:
        assert answers(f"http://127.0.0.1:{port}", 60, alive=lambda: server.poll() is None)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


def environment_without_path() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


@pytest.fixture(scope="module")
def theirs() -> Iterator[str]:
    if not published_package.is_installed(VERSION):
        if os.environ.get("CI") != "true":
            pytest.skip(f"the published {VERSION} is not here: python core/tests/published_package.py installs it")
        published_package.install(VERSION)
    with serving(published_package.command(VERSION, "serve.py"), environment_without_path()) as url:
        yield url


@pytest.fixture(scope="module")
def ours() -> Iterator[str]:
    with serving([sys.executable, str(published_package.PROGRAMS / "serve.py")], dict(os.environ)) as url:
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
]
SAME_REFUSALS: list[tuple[str, dict[str, Any]]] = [
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
]


def test_frames_are_answered_alike(theirs: str, ours: str) -> None:
    transcripts = []
    for url in (theirs, ours):
        with connect(f"{url.replace('http', 'ws')}/ws") as socket_:
            told = []
            for frame in FRAMES:
                socket_.send(frame)
                reply = json.loads(socket_.recv(timeout=10))
                told.append(reply["data"]["code"] if reply["type"] == "error" else reply)
            transcripts.append(told)
    for frame, their_reply, our_reply in zip(FRAMES, *transcripts, strict=True):
        assert their_reply == our_reply, frame


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
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60, env=environment_without_path())
    transcripts.append(json.loads(done.stdout))
    for transcript in transcripts:
        assert len(transcript.pop("errors")) == 2
    assert transcripts[0] == transcripts[1] == transcripts[2]
