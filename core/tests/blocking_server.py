"""A socket server of few words, which answers each connection in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from websockets.sync.server import ServerConnection, serve


@contextmanager
def blocking_server(answer: Callable[[ServerConnection], None], **settings: Any) -> Iterator[str]:
    """Run a server on a free port; yields the base URL.

    Args:
        answer: is given each connection.
        settings: those of `websockets.sync.server.serve`.
    """
    with serve(answer, "127.0.0.1", 0, compression=None, **settings) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        finally:
            server.shutdown()
            thread.join()
