"""What every provider of servers does alike: start, be ready, stop, and tell why not."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from containers import COUNTER, left, left_in_swarm, runs
from counting import Count, CounterEnv
from ray_nodes import Nodes, one_node
from serving import wait_until

from openenv.errors import CapacityReached, ConnectError, LaunchError
from openenv.launch.docker import LocalDockerProvider
from openenv.launch.process import ProcessProvider
from openenv.launch.provider import Container, RuntimeProvider
from openenv.launch.ray import RayProvider
from openenv.launch.swarm import DockerSwarmProvider

PATH = {"PYTHONPATH": str(Path(__file__).parent)}
NOWHERE = "nowhere.server:app"


class Processes:
    """Servers of `Counter` as processes."""

    trainer = "CounterEnv.from_process('serving_counter:app')"
    host = "127.0.0.1"

    def provider(self, port: int | None = None, env_vars: dict[str, str] | None = None) -> RuntimeProvider:
        return ProcessProvider("serving_counter:app", env_vars={**PATH, **(env_vars or {})}, port=port or 0)

    def failing(self) -> RuntimeProvider:
        return ProcessProvider(NOWHERE)

    def kill(self, provider: Any) -> None:
        provider._process._process.kill()

    def left(self, pid: int) -> set[str]:
        return set()


class DockerContainers:
    """Servers of `Counter` in containers."""

    trainer = (
        f"CounterEnv.from_docker_image({COUNTER!r}, lease_s=2, env_vars={{'OPENENV_RESUME_WINDOW_S': '1'}}, stop_timeout_s=1)"
    )
    host = "127.0.0.1"

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def provider(self, port: int | None = None, env_vars: dict[str, str] | None = None) -> RuntimeProvider:
        return Container(LocalDockerProvider(), COUNTER, port, env_vars or {}, 60.0, {})

    def failing(self) -> RuntimeProvider:
        options = {"command": ["python3", "-m", "openenv.server", NOWHERE]}
        return Container(LocalDockerProvider(), COUNTER, None, {}, 60.0, options)

    def kill(self, provider: Any) -> None:
        self._engine.api.kill(provider.provider._running._name)

    def left(self, pid: int) -> set[str]:
        return left(self._engine, pid)


class SwarmServices:
    """Servers of `Counter` as services of a swarm, which does not start them again."""

    trainer = (
        f"CounterEnv.from_docker_image({COUNTER!r}, DockerSwarmProvider(), lease_s=2, stop_timeout_s=1, "
        "env_vars={'OPENENV_RESUME_WINDOW_S': '1'})"
    )
    host = "127.0.0.1"

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def provider(self, port: int | None = None, env_vars: dict[str, str] | None = None) -> RuntimeProvider:
        return Container(DockerSwarmProvider(), COUNTER, port, env_vars or {}, 60.0, {"restart": False})

    def failing(self) -> RuntimeProvider:
        options = {"command": ["python3", "-m", "openenv.server", NOWHERE]}
        return Container(DockerSwarmProvider(), COUNTER, None, {}, 60.0, options)

    def kill(self, provider: Any) -> None:
        (service,) = left_in_swarm(self._engine, os.getpid())
        (container,) = self._engine.api.containers(filters={"label": f"com.docker.swarm.service.name={service}"})
        self._engine.api.kill(container["Id"])

    def left(self, pid: int) -> set[str]:
        """What a killed trainer leaves is a service that runs nothing, until the next start sweeps it up."""
        found = left_in_swarm(self._engine, pid)
        return found if pid == os.getpid() else {service for service in found if runs(self._engine, service)}


class RayActors:
    """Servers of `Counter` on a Ray cluster."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self.trainer = f"__import__('ray_nodes').counter_on({nodes.address!r})"

    host = "127.0.0.2"

    def provider(self, port: int | None = None, env_vars: dict[str, str] | None = None) -> RuntimeProvider:
        return RayProvider("serving_counter:app", env_vars={**PATH, **(env_vars or {})}, port=port or 0)

    def failing(self) -> RuntimeProvider:
        return RayProvider(NOWHERE)

    def kill(self, provider: Any) -> None:
        (server,) = self._nodes.servers()
        os.kill(server, signal.SIGKILL)

    def left(self, pid: int) -> set[str]:
        return self._nodes.left()


Kind = Processes | DockerContainers | SwarmServices | RayActors


@pytest.fixture(scope="module")
def ray_node() -> Iterator[Nodes]:
    """A Ray cluster of one node."""
    with one_node(num_cpus=2) as cluster:
        yield cluster


CONTAINERS = [pytest.param(name, marks=pytest.mark.docker) for name in ("docker", "swarm")]


@pytest.fixture(params=["process", "ray", *CONTAINERS])
def kind(request: pytest.FixtureRequest) -> Kind:
    if request.param == "process":
        return Processes()
    if request.param == "ray":
        return RayActors(request.getfixturevalue("ray_node"))
    request.getfixturevalue("counter_image")
    engine = request.getfixturevalue("engine")
    if request.param == "docker":
        return DockerContainers(engine)
    request.getfixturevalue("swarm_turn")
    return SwarmServices(engine)


@pytest.fixture
def provider(kind: Kind) -> Iterator[RuntimeProvider]:
    provider = kind.provider()
    yield provider
    provider.stop()


def listening(url: str) -> bool:
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def free_port(host: str = "127.0.0.1") -> int:
    with socket.create_server((host, 0)) as found:
        port: int = found.getsockname()[1]
        return port


def test_a_server_starts_plays_and_is_gone(kind: Kind, provider: RuntimeProvider) -> None:
    with pytest.raises(LaunchError, match="has not been started"):
        provider.wait_for_ready()
    url = provider.start()
    provider.wait_for_ready()
    with pytest.raises(LaunchError, match="running already"):
        provider.start()
    with CounterEnv(base_url=url).sync() as env:
        assert env.reset(start=3).observation.total == 3
        assert env.step(Count(amount=1)).reward == 1
    provider.stop()
    assert not listening(url)
    assert kind.left(os.getpid()) == set()
    provider.stop()
    provider.stop()


def test_a_stopped_one_starts_again_on_the_port_asked_for(kind: Kind, provider: RuntimeProvider) -> None:
    provider.start()
    provider.stop()
    port = free_port(kind.host)
    assert provider.start(port=port) == f"http://{kind.host}:{port}"
    provider.wait_for_ready()
    assert listening(f"http://{kind.host}:{port}")


def test_a_taken_port_is_named_and_nothing_is_left(kind: Kind) -> None:
    with socket.create_server((kind.host, 0)) as taken:
        port = taken.getsockname()[1]
        provider = kind.provider(port)
        with pytest.raises(LaunchError, match=f"{port}.*choose another port"):
            provider.start()
    assert kind.left(os.getpid()) == set()
    provider.stop()


def test_environment_variables_arrive(kind: Kind) -> None:
    provider = kind.provider(env_vars={"OPENENV_MAX_CONCURRENT_ENVS": "1", "OPENENV_QUEUE_TIMEOUT_S": "60"})
    with CounterEnv(provider=provider).sync() as env:
        env.reset()
        assert env.async_client.base_url is not None
        with CounterEnv(base_url=env.async_client.base_url).sync() as other, pytest.raises((CapacityReached, TimeoutError)):
            other.reset(timeout_s=0.2)
    with pytest.raises(LaunchError, match="queue_timeout_s must not be negative"):
        CounterEnv(provider=kind.provider(env_vars={"OPENENV_QUEUE_TIMEOUT_S": "-1"})).sync().connect()


def test_another_is_alike_and_has_started_nothing(kind: Kind, provider: RuntimeProvider) -> None:
    url = provider.start()
    other = provider.another()
    assert (provider.is_running(), other.is_running()) == (True, False)
    with pytest.raises(LaunchError, match="has not been started"):
        other.wait_for_ready()
    with CounterEnv(provider=other).sync() as env:
        env.reset()
        assert env.async_client.base_url not in (None, url)
        provider.stop()
        assert (provider.is_running(), other.is_running()) == (False, True)
        kind.kill(other)
        wait_until(lambda: not other.is_running())
    with pytest.raises(LaunchError, match="queue_timeout_s must not be negative"):
        CounterEnv(provider=kind.provider(env_vars={"OPENENV_QUEUE_TIMEOUT_S": "-1"}).another()).sync().connect()


class Elsewhere(RuntimeProvider):
    """A provider that knows nothing of others like it."""

    def __init__(self, url: str, *, tags: tuple[str, ...] = ()) -> None:
        self.url, self.tags, self.starts = url, tags, 0

    def start(self, port: int | None = None, env_vars: dict[str, str] | None = None, **options: Any) -> str:
        self.starts += 1
        return self.url

    def stop(self) -> None:
        pass

    def wait_for_ready(self, timeout_s: float = 30.0) -> None:
        pass


class Further(Elsewhere):
    """One that is made in another way than its base."""

    def __init__(self) -> None:
        super().__init__("http://further", tags=("far",))


@pytest.mark.parametrize("pattern", [Elsewhere("http://there", tags=("a",)), Further()])
def test_another_of_a_provider_that_does_not_say_how(pattern: Elsewhere) -> None:
    pattern.start()
    other = pattern.another()
    assert (type(other), other.url, other.tags, other.starts) == (type(pattern), pattern.url, pattern.tags, 0)
    assert other.another().url == pattern.url
    assert pattern.is_running() is None


def test_one_that_cannot_start_says_why_and_leaves_nothing(kind: Kind) -> None:
    provider = kind.failing()
    with pytest.raises(LaunchError, match=r"before it answered; its last output:\n  .*cannot import nowhere"):
        CounterEnv(provider=provider).sync().connect()
    assert kind.left(os.getpid()) == set()


def test_an_unknown_option_is_refused(kind: Kind, provider: RuntimeProvider) -> None:
    with pytest.raises(LaunchError, match="takes no nonsense"):
        provider.start(nonsense=True)
    assert kind.left(os.getpid()) == set()


def test_a_killed_server_is_told_exactly(kind: Kind, provider: RuntimeProvider) -> None:
    with CounterEnv(provider=provider).sync() as env:
        env.reset()
        kind.kill(provider)
        with pytest.raises(RuntimeError, match=r"its episode is gone|and its episode with it"):
            env.step(Count(amount=1))
        with pytest.raises(ConnectError, match="is the server running"):
            env.reset()
    assert kind.left(os.getpid()) == set()


@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
def test_a_killed_trainer_leaves_no_server(kind: Kind) -> None:
    program = f"""
        import time
        from counting import CounterEnv
        from openenv.launch.swarm import DockerSwarmProvider
        env = {kind.trainer}
        env.reset()
        print(env.base_url, flush=True)
        time.sleep(100)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    path = os.pathsep.join(filter(None, [PATH["PYTHONPATH"], os.environ.get("PYTHONPATH", "")]))
    trainer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path})
    assert trainer.stdout is not None
    with trainer.stdout:
        url = trainer.stdout.readline().strip()
        assert listening(url)
        trainer.send_signal(signal.SIGKILL)
        trainer.wait()
    wait_until(lambda: not listening(url), 30)
    wait_until(lambda: kind.left(trainer.pid) == set(), 30)
