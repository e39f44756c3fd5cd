"""Environments that turn on their container: held in, told exactly, and no other session is harmed.

Process isolation; the coding environment's own attacks are in its tests.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import containers
import pytest
from bombing import BomberEnv, Deed
from serving import wait_until

from openenv.errors import EnvironmentCrashed, ExecutionError, StepTimeout
from openenv.launch.docker import LocalDockerProvider

pytestmark = pytest.mark.docker
PIDS = 100
LIMITS: dict[str, Any] = {"memory_mb": 600, "pids": PIDS, "tmpfs_mb": 32, "egress": False}
VARIABLES = {"OPENENV_MAX_CONCURRENT_ENVS": "8"}
OF_A_SESSION = {"OPENENV_MEMORY_LIMIT_MB": "150"}
PIECES = 2
"""The piece that is written and the one before it, as the engine keeps them."""


@dataclass
class Target:
    """A container, a session in it that plays on, and where others may begin."""

    provider: LocalDockerProvider
    name: str
    url: str
    witness: Any
    steps: int = 0

    def is_well(self) -> None:
        """Fail where the session has lost a step, or counts one that was not its own."""
        result = self.witness.step(Deed())
        self.steps += 1
        assert (result.observation.steps, result.reward) == (self.steps, 1.0)


@pytest.fixture(scope="module")
def image(engine: Any) -> str:
    containers.built("base")
    lines = (
        "FROM openenv-base:latest",
        "COPY bombing.py /app/",
        'CMD ["python3", "-m", "openenv.server", "bombing:app", "--host", "0.0.0.0", "--port", "8000"]',
    )
    image = "openenv-test-bomber:latest"
    containers.build(engine, image, "\n".join(lines), Path(__file__).parent / "bombing.py")
    return image


@pytest.fixture(scope="module")
def target(engine: Any, image: str) -> Iterator[Target]:
    provider = LocalDockerProvider()
    before = containers.left(engine, os.getpid())
    url = provider.start_container(image, env_vars=VARIABLES | OF_A_SESSION, **LIMITS)
    try:
        provider.wait_for_ready(url, 60.0)
        (name,) = (found for found in containers.left(engine, os.getpid()) - before if found.startswith("/"))
        with BomberEnv(base_url=url).sync() as witness:
            witness.reset()
            yield Target(provider, name.strip("/"), url, witness)
    finally:
        provider.close()


@pytest.mark.parametrize(
    ("deed", "error", "told"),
    [
        (Deed(kind="fill_memory"), ExecutionError, "MemoryError"),
        (Deed(kind="fork_without_end"), StepTimeout, r"reset\(\) before the next step"),
        (Deed(kind="start_threads"), ExecutionError, "can't start new thread"),
        (Deed(kind="write", target="/mine"), ExecutionError, "Read-only file system: '/mine'"),
        (Deed(kind="write", target="/app/bombing.py"), ExecutionError, "Read-only file system"),
        (Deed(kind="reach", target="192.0.2.1:80"), ExecutionError, "timed out|unreachable|No route"),
        (Deed(kind="fill", target="/tmp/full"), ExecutionError, "No space left on device"),
    ],
    ids=lambda value: value.kind if isinstance(value, Deed) else "",
)
def test_it_is_held_in_told_exactly_and_harms_nobody(
    engine: Any, target: Target, deed: Deed, error: type[Exception], told: str
) -> None:
    with BomberEnv(base_url=target.url).sync() as env, ThreadPoolExecutor(1) as thread:
        env.reset()
        bombing = thread.submit(env.step, deed, timeout_s=2.0 if error is StepTimeout else 60.0)
        target.is_well()
        while not bombing.done():
            target.is_well()
        with pytest.raises(error, match=told):
            bombing.result()
        target.is_well()
        assert env.reset().observation.steps == 0
        assert env.step(Deed()).reward == 1.0

    def processes() -> int:
        found: list[Any] = engine.api.top(target.name)["Processes"]
        return len(found)

    wait_until(lambda: processes() < PIDS / 2, 20)


def test_a_flood_of_output_stays_small_here_and_on_the_disk(engine: Any, target: Target) -> None:
    """40 MB of it; the last line has no end."""
    with BomberEnv(base_url=target.url).sync() as env:
        env.reset()
        assert env.step(Deed(kind="flood_the_log"), timeout_s=60.0).observation.text == "printed"
        target.is_well()
        wait_until(lambda: len(target.provider.output) == 40, 20)
        assert max(map(len, target.provider.output)) <= 4096
    found = engine.api.inspect_container(target.name)
    assert found["HostConfig"]["LogConfig"]["Config"] == {"max-size": "16m", "max-file": "1"}
    kept = Path(found["LogPath"])
    if os.access(kept.parent, os.R_OK):
        assert sum(file.stat().st_size for file in kept.parent.glob(f"{kept.name}*")) <= PIECES * 17_000_000


def test_where_no_session_has_a_limit_the_container_s_ends_one_and_not_the_server(image: str) -> None:
    """The kernel chooses whom; the bomber has the most, and every session counts for more than the server."""
    with BomberEnv.from_docker_image(image, memory_mb=300, pids=PIDS, env_vars=VARIABLES).sync() as env:
        env.reset()
        session, server = (env.step(Deed(kind="read", target=f"/proc/{pid}/oom_score_adj")) for pid in ("self", "1"))
        assert int(session.observation.text) > int(server.observation.text)
        with pytest.raises(EnvironmentCrashed, match=r"SIGKILL .*lack of memory"):
            env.step(Deed(kind="fill_memory"), timeout_s=90.0)
        assert env.reset().observation.steps == 0
        assert env.step(Deed()).reward == 1.0
