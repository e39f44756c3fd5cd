"""Whether a server answers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from ...client.address import is_loopback

LONGEST_ANSWER_S = 5.0
FEWEST_FAILURES = 3
"""So many questions in a row must go wrong before a server counts as dead: this program itself may have stood still."""


class Health:
    """Asks one server again and again how it is, from an event loop.

    Args:
        url: of the server.
        headers: of each question.
        timeout_s: after so long without a good answer it counts as dead.
    """

    def __init__(self, url: str, headers: Mapping[str, str], timeout_s: float) -> None:
        self._url = f"{url}/health"
        self._headers = dict(headers)
        self._timeout_s = timeout_s
        self._answer_s = min(timeout_s / FEWEST_FAILURES, LONGEST_ANSWER_S)
        self._well_at = time.monotonic()
        self._failures = 0
        self._refusals = 0
        self._why = ""
        # the transport alone, for the client above it logs every request at a level that many programs show
        self._transport = httpx.AsyncHTTPTransport(verify=url.startswith("https"), proxy=_proxy(url))

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.__aexit__(kind, error, trace)

    async def is_well(self) -> bool:
        """Ask, and return whether the answer is good."""
        timeout = httpx.Timeout(self._answer_s).as_dict()
        request = httpx.Request("GET", self._url, headers=self._headers, extensions={"timeout": timeout})
        try:
            response = await self._transport.handle_async_request(request)
            try:
                await response.aread()
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            self._refusals = self._refusals + 1 if _is_refused(error) else 0
            return self._unwell(f"it does not answer ({str(error) or type(error).__name__})")
        self._refusals = 0
        if not response.is_success:
            return self._unwell(f"it answers HTTP {response.status_code}")
        self._failures, self._well_at = 0, time.monotonic()
        return True

    def _unwell(self, why: str) -> bool:
        self._failures += 1
        self._why = why
        return False

    def dead(self, *, may_be_draining: bool) -> str | None:
        """Return why the server counts as dead, or None where it does not.

        Args:
            may_be_draining: it is known to run, so that it may listen no more and still finish calls.
        """
        if self._refusals >= FEWEST_FAILURES and not may_be_draining:
            return "nobody listens at its address any more"
        if self._failures >= FEWEST_FAILURES and time.monotonic() - self._well_at > self._timeout_s:
            return f"{self._why}, for {self._timeout_s:g} s"
        return None


def _proxy(url: str) -> str | None:
    host = urlsplit(url).hostname or ""
    if is_loopback(url) or proxy_bypass(host):
        return None
    return getproxies().get(urlsplit(url).scheme)


def _is_refused(error: BaseException) -> bool:
    """Return whether nobody listens there, and not only that no connection could be made."""
    if isinstance(error, BaseExceptionGroup):
        return all(map(_is_refused, error.exceptions))
    cause = error.__cause__ or error.__context__
    return isinstance(error, ConnectionRefusedError) or (cause is not None and _is_refused(cause))
