"""Answers every message with one that was made before: `python -m floor.server KIND`.

The least that a server of this kind can do: bare ASGI on uvicorn with uvloop. The path `/lanes/N` answers for N lanes at once.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import uvicorn
from floor.messages import reply
from process_start import allow_many_sockets, end_with_parent, listening_socket


class Echo:
    """The application."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._http = json.dumps(json.loads(reply("small"))["data"]).encode()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await self._socket(scope["path"], receive, send)
        elif scope["type"] == "http":
            while (await receive()).get("more_body"):
                pass
            headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(self._http))]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": self._http})

    async def _socket(self, path: str, receive: Any, send: Any) -> None:
        lanes = int(path.rpartition("/")[2]) if path.startswith("/lanes/") else 0
        answer = reply(self._kind, lanes)
        message = {"type": "websocket.send", "text" if isinstance(answer, str) else "bytes": answer}
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] == "websocket.receive":
            await send(message)


def main(kind: str) -> None:
    allow_many_sockets()
    end_with_parent()
    listener = listening_socket()
    config = uvicorn.Config(
        Echo(kind), ws="websockets-sansio", ws_per_message_deflate=False, lifespan="off", log_level="error", access_log=False
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(*sys.argv[1:])
