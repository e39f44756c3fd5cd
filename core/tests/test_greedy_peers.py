"""What a peer that sends without end and reads nothing makes a server hold: no more than a few messages."""

from __future__ import annotations

import json
import select
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import serving
from journal import Journal, step_of
from server_process import SERVE, ServerProcess
from serving import running

from openenv.server import create_app

MEBIBYTE = 1024 * 1024
PATIENCE_S = 1.0
TEXT, FIRST, PIECE, PING = 0x81, 0x01, 0x00, 0x89
MASKED = 0x80


def frame(first: int, payload: bytes) -> bytes:
    """Return a client's frame, masked with zeros."""
    length = len(payload)
    size = bytes((MASKED | length,)) if length < 126 else bytes((MASKED | 127,)) + length.to_bytes(8, "big")
    return bytes((first,)) + size + bytes(4) + payload


def said(kind: str, request: int, **data: Any) -> bytes:
    """Return a request of version 2 in JSON as a frame."""
    return frame(TEXT, json.dumps({"type": kind, "id": request, "data": data}).encode())


@contextmanager
def greedy(url: str) -> Iterator[socket.socket]:
    """A socket of version 2 in JSON whose kernel holds little that has not been read."""
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.socket() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.connect((host, int(port)))
        peer.sendall(
            b"GET /ws HTTP/1.1\r\nHost: greedy\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: openenv.v2.json\r\n\r\n"
        )
        hear_until(peer, b'"capabilities"', 1)
        yield peer


def hear_until(peer: socket.socket, told: bytes, times: int) -> None:
    """Read until something has been told so many times."""
    peer.settimeout(30)
    last = b""
    while times > 0:
        heard = peer.recv(MEBIBYTE)
        assert heard, f"the server closed before it said {told!r}"
        times -= (last + heard).count(told)
        last = (last + heard)[1 - len(told) :]


def sent_until_stuck(peer: socket.socket, data: bytes) -> int:
    """Send for as long as the server reads; return how many bytes went."""
    peer.setblocking(False)
    sent = 0
    while sent < len(data) and select.select([], [peer], [], PATIENCE_S)[1]:
        sent += peer.send(data[sent : sent + MEBIBYTE])
    peer.setblocking(True)
    return sent


def memory_of(server: ServerProcess) -> int:
    """Return how many bytes a server holds."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return 1024 * int(status.split("VmRSS:")[1].split()[0])


@pytest.mark.parametrize("implementation", [None, "websockets-sansio"], ids=["short way", "asgi"])
def test_one_that_asks_again_and_again_is_read_again_when_it_reads(
    implementation: str | None, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if implementation is not None:
        monkeypatch.setattr(serving, "SOCKETS", implementation)
    repeats = said("step", 2, padding="x" * 250_000) * 600
    with running(create_app(Journal)) as url, greedy(url) as peer:
        peer.sendall(said("reset", 1, episode_id=name) + said("step", 2, **step_of(1, reply_bytes=100_000)))
        hear_until(peer, b'"id":2,', 1)
        sent = sent_until_stuck(peer, repeats)
        assert 0 < sent < len(repeats)
        rest = threading.Thread(target=peer.sendall, args=(repeats[sent:] + said("step", 3, **step_of(2)),))
        rest.start()
        hear_until(peer, b'"id":2,', 600)
        hear_until(peer, b'"id":3,', 1)
        rest.join()
    assert Journal.steps[name] == [1, 2]


@pytest.mark.skipif(sys.platform != "linux", reason="memory is told by /proc")
@pytest.mark.parametrize("flood", ["pings", "pieces"])
def test_floods_are_not_kept(flood: str, tmp_path: Path) -> None:
    server = ServerProcess(tmp_path, *SERVE, "serving_counter:app", "--port", "0")
    try:
        with greedy(server.url) as peer:
            peer.sendall(said("reset", 1))
            hear_until(peer, b'"id":1,', 1)
            before = memory_of(server)
            if flood == "pings":
                peer.sendall(frame(PING, b"x" * 125) * 200_000)
            else:
                peer.sendall(frame(FIRST, b"ab") + frame(PIECE, b"ab") * 250_000 + frame(PING, b"all read"))
                hear_until(peer, b"all read", 1)
            assert memory_of(server) - before < 10 * MEBIBYTE
            if flood == "pings":
                hear_until(peer, b"x" * 125, 2)
    finally:
        server.kill()
