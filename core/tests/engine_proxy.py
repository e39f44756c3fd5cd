"""The container engine over TCP, as another machine's is reached, and as slow as a test needs it."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from openenv.launch.docker.engine import STANDARD


@dataclass
class EngineProxy:
    """Carries every connection to the engine.

    Attributes:
        url: for `DOCKER_HOST`.
        slow: requests that have this in their first line arrive late, whether or not their sender still waits.
        late_s: so late.
        asked: set once such a request has come.
    """

    slow: str | None = None
    late_s: float = 1.0
    url: str = ""
    asked: threading.Event = field(default_factory=threading.Event)

    def serve(self, listener: socket.socket, engine: str, opened: list[socket.socket]) -> None:
        """Carry until the listener is closed."""
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(engine)
                opened.extend((client, server))
                threading.Thread(target=self._carry, args=(client, server, self.slow), daemon=True).start()
                threading.Thread(target=self._carry, args=(server, client, None), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, slow: str | None) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(65536):
                if slow is not None and slow.encode() in chunk.partition(b"\r\n")[0]:
                    self.asked.set()
                    time.sleep(self.late_s)
                target.sendall(chunk)
            target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def proxied(slow: str | None = None) -> Iterator[EngineProxy]:
    """Run a proxy of the engine that the other tests use."""
    proxy, opened = EngineProxy(slow), list[socket.socket]()
    engine = os.environ.get("DOCKER_HOST", STANDARD).removeprefix("unix://")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy.url = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        threading.Thread(target=proxy.serve, args=(listener, engine, opened), daemon=True).start()
        try:
            yield proxy
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for end in opened:
                end.close()
