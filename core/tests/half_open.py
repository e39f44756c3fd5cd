"""Connections whose client stays and never reads again."""

from __future__ import annotations

import re
import socket

STUFFING = 8 * 1024 * 1024
"""More than the buffers of a connection take while its peer does not read."""

KINDS = ("v1", "v1 stuffed", "v2", "v2 stuffed", "http stuffed")


class HalfOpen:
    """Sockets that do not even answer pings, each with an episode begun; what is `stuffed` has a long reply on its way."""

    def __init__(self, url: str, count: int) -> None:
        host, _, port = url.removeprefix("http://").partition(":")
        self._sockets = [_open((host, int(port)), KINDS[number % len(KINDS)]) for number in range(count)]

    def close(self) -> None:
        for connection in self._sockets:
            connection.close()


def _open(address: tuple[str, int], kind: str) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(address)
    size = STUFFING if kind.endswith("stuffed") else 0
    if kind.startswith("http"):
        _play_over_http(connection, size)
    else:
        _play(connection, size, is_v2=kind.startswith("v2"))
    return connection


def _play(connection: socket.socket, size: int, *, is_v2: bool) -> None:
    connection.sendall(
        b"GET /ws HTTP/1.1\r\nHost: soak\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n%s\r\n"
        % (b"Sec-WebSocket-Protocol: openenv.v2.json\r\n" if is_v2 else b"")
    )
    assert connection.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 101"
    for number, message in enumerate((b'"reset"', b'"step","data":{"size":%d}' % size), 1):
        text = b'{"type":%s%s}' % (message, b',"id":%d' % number if is_v2 else b"")
        connection.sendall(bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text)  # a text frame, masked with zeros


def _play_over_http(connection: socket.socket, size: int) -> None:
    connection.sendall(_post("reset", "{}", "new"))
    session = re.search(r"(?i)x-openenv-session: (\S+)", connection.recv(4096).decode())
    assert session is not None
    connection.sendall(_post("step", f'{{"action":{{"size":{size}}}}}', session[1]))


def _post(path: str, body: str, session: str) -> bytes:
    head = f"POST /{path} HTTP/1.1\r\nHost: soak\r\nX-OpenEnv-Session: {session}\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n{body}".encode()
