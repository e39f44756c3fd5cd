"""What a server tells Prometheus: how many sessions it has, may have, and keeps waiting."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from counting import Counter, CounterEnv
from prometheus_client.parser import text_string_to_metric_families
from server_process import SERVE, ServerProcess
from serving import running, wait_until

from openenv.server import create_app


def told(url: str) -> dict[str, float]:
    """Return the metrics of a server by name."""
    answer = httpx.get(f"{url}/metrics", trust_env=False)
    assert answer.headers["content-type"].startswith("text/plain; version=")
    families = text_string_to_metric_families(answer.text)
    return {sample.name: sample.value for family in families for sample in family.samples}


def numbers(sessions: int, capacity: int, waiting: int) -> dict[str, float]:
    return {"openenv_sessions": sessions, "openenv_sessions_capacity": capacity, "openenv_sessions_waiting": waiting}


def test_sessions_are_counted_while_they_live() -> None:
    with running(create_app(Counter, max_concurrent_envs=2)) as url:
        assert told(url) == numbers(0, 2, 0)
        first, second, third = (CounterEnv(base_url=url).sync() for _ in range(3))
        first.reset()
        second.reset()
        with ThreadPoolExecutor(1) as thread:
            waiting = thread.submit(third.reset)
            wait_until(lambda: told(url) == numbers(2, 2, 1))
            first.close()
            waiting.result()
        wait_until(lambda: told(url) == numbers(2, 2, 0))
        second.close()
        third.close()
        wait_until(lambda: told(url) == numbers(0, 2, 0))


def test_in_production_mode_too() -> None:
    with running(create_app(Counter, mode="production")) as url:
        assert told(url)["openenv_sessions"] == 0


@pytest.mark.skipif(sys.platform == "win32", reason="several workers need POSIX")
def test_every_worker_tells_the_numbers_of_all(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path, *SERVE, "lingering:app", "--port", "0", OPENENV_WORKERS="2")
    try:
        players = [CounterEnv(base_url=server.url).sync() for _ in range(3)]
        for player in players:
            player.reset()
        for _ in range(8):
            wait_until(lambda: told(server.url)["openenv_sessions"] == 3)
        for player in players:
            player.close()
    finally:
        server.kill()


def test_without_the_extra_there_are_none_and_nothing_else_changes() -> None:
    program = """
        import sys
        sys.path.insert(0, "core/tests")
        sys.modules["prometheus_client"] = None
        from counting import Counter
        from openenv.server import create_app
        print(sorted({route.path for route in create_app(Counter).routes} & {"/metrics", "/health"}))
    """
    lines = "\n".join(line.strip() for line in program.splitlines())
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-W", "error", "-c", lines], capture_output=True, text=True, cwd=root)
    assert (done.stdout.strip(), done.stderr) == ("['/health']", "")
