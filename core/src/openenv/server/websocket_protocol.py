"""uvicorn's WebSocket protocol, which also lets go of peers that take nothing any more."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

LAST_BYTES_WITHIN_S = 12.0
"""What has not left so long after a socket's end is dropped; a peer gets 10 s of it to answer the goodbye."""


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """As uvicorn's, but a socket that is over is closed also where its peer never reads what is still to be sent.

    A transport that is closed first sends all that it holds, for which a half-open peer lets it wait for ever.
    """

    _dropping: asyncio.TimerHandle | None = None

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.transport.abort()

    async def run_asgi(self) -> None:
        await super().run_asgi()
        if not self.disconnected:
            self._dropping = self.loop.call_later(LAST_BYTES_WITHIN_S, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._dropping is not None:
            self._dropping.cancel()
