"""A server that nobody uses ends by itself, and one that somebody uses does not."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

import httpx
import pytest
from counting import Count, CounterEnv
from server_process import SERVE, ServerProcess
from serving import wait_until

from openenv.errors import UsageError
from openenv.sessions.settings import Settings

LIMIT_S = 1.0


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.skipif(sys.platform == "win32", reason="POSIX"))])
def test_a_server_ends_once_it_has_no_session(workers: str, tmp_path: Path) -> None:
    """A session that nobody calls is use; being asked for its health and metrics is none."""
    settings = {"OPENENV_UNUSED_TIMEOUT_S": str(LIMIT_S), "OPENENV_WORKERS": workers}
    server = ServerProcess(tmp_path, *SERVE, "lingering:app", "--port", "0", **settings)
    try:
        with CounterEnv(base_url=server.url).sync() as env, httpx.Client(trust_env=False) as http:
            env.reset()
            time.sleep(2.5 * LIMIT_S)
            assert env.step(Count(amount=2)).observation.total == 2
            assert http.get(f"{server.url}/health").is_success

        def has_ended() -> bool:
            try:
                for path in ("health", "metrics"):
                    httpx.get(f"{server.url}/{path}", trust_env=False)
            except httpx.HTTPError:
                return server.process.poll() is not None
            return False

        wait_until(has_ended, 10)
        code, log = server.wait()
        assert (code, server.events()) == (0, ["step", "closed"])
        assert "nobody used this server" in log
    finally:
        server.kill()


def test_requests_are_use_and_without_a_limit_a_server_waits(tmp_path: Path) -> None:
    endless = ServerProcess(tmp_path, *SERVE, "lingering:app", "--port", "0")
    short = ServerProcess(tmp_path, *SERVE, "lingering:app", "--port", "0", OPENENV_UNUSED_TIMEOUT_S=str(LIMIT_S))
    try:
        until = time.monotonic() + 2.5 * LIMIT_S
        while time.monotonic() < until:
            assert httpx.get(f"{short.url}/metadata", trust_env=False).is_success
        wait_until(lambda: short.process.poll() == 0, 10)
        assert endless.process.poll() is None
        endless.process.send_signal(signal.SIGTERM)
        assert endless.wait()[0] == 0
    finally:
        short.kill()
        endless.kill()


def test_a_limit_is_above_nothing() -> None:
    with pytest.raises(UsageError, match="unused_timeout_s must be above 0"):
        Settings(unused_timeout_s=0)
