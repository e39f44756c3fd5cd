"""The one wait for a server to answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.02, 0.5


def answers(
    base_url: str,
    timeout_s: float,
    *,
    alive: Callable[[], bool] = lambda: True,
    headers: Mapping[str, str] | None = None,
    through_proxy: bool = False,
) -> bool:
    """Wait until `GET /health` says yes; return whether it did in time.

    Args:
        base_url: `http://host:port`.
        timeout_s: seconds to try for.
        alive: asked between tries; False ends the wait.
        headers: of each request.
        through_proxy: whether the environment's proxies are used, for a server that is elsewhere.
    """
    import httpx

    deadline = time.monotonic() + timeout_s
    pause_s = FIRST_PAUSE_S
    with httpx.Client(trust_env=through_proxy, timeout=2.0, headers=headers) as http:
        while alive():
            try:
                if http.get(f"{base_url}/health").is_success:
                    return True
            except httpx.HTTPError:
                pass  # not up yet
            if time.monotonic() + pause_s > deadline:
                return False
            time.sleep(pause_s)
            pause_s = min(pause_s * 1.5, LONGEST_PAUSE_S)
    return False
