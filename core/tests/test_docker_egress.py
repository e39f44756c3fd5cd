"""Containers that reach nothing: the client gets in, at their own address or through a forwarder, and nothing gets out."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from containers import COUNTER, left
from counting import Count, CounterEnv
from engine_proxy import proxied
from serving import wait_until
from test_providers import free_port

from openenv.errors import LaunchError
from openenv.launch.docker import DockerOptions
from openenv.launch.docker.enclosure import is_forwarded
from openenv.launch.docker.engine import is_podman

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at an engine of this machine's own")
MINE = os.getpid()
FORWARDER = "-forwarder"


def names(engine: Any, pid: int) -> tuple[str, str]:
    """Return the names of the one container of a process and of its forwarder."""
    (server, forwarder) = sorted(name.strip("/") for name in left(engine, pid) if name.startswith("/"))
    assert forwarder == server + FORWARDER
    return server, forwarder


def reached(engine: Any, name: str, *places: tuple[str, int]) -> list[bool]:
    """Return of each place whether a container can open a connection to it, and gets an answer to what it says."""
    program = f"""
        import concurrent.futures, socket
        def reached(place):
            try:
                with socket.create_connection(place, 1.5) as there:
                    there.sendall(b"GET /health HTTP/1.0\\r\\n\\r\\n")
                    return bool(there.recv(1))
            except OSError:
                return False
        with concurrent.futures.ThreadPoolExecutor() as threads:
            print(*map(int, threads.map(reached, {places!r})))
    """
    return [answer == "1" for answer in ran(engine, name, program).split()]


def ran(engine: Any, name: str, program: str) -> str:
    job = engine.api.exec_create(name, ["python3", "-c", textwrap.dedent(program)])
    output: bytes = engine.api.exec_start(job["Id"])
    return output.decode().strip()


@pytest.fixture
def world(engine: Any, counter_image: str) -> Iterator[str]:
    """The address of another container with a server, which stands for the rest of the world."""
    container = engine.containers.run(counter_image, detach=True, remove=True)
    try:
        container.reload()
        address: str = container.attrs["NetworkSettings"]["IPAddress"]

        def answers() -> bool:
            with contextlib.suppress(OSError), socket.create_connection((address, 8000), 1):
                return True
            return False

        wait_until(answers, 30)
        yield address
    finally:
        container.kill()


@contextlib.contextmanager
def answering(address: str) -> Iterator[int]:
    """Answer every connection to a port of this machine; yields the port."""
    with socket.create_server((address, 0)) as listener:

        def answer() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    with client:
                        client.sendall(b"hello")

        threading.Thread(target=answer, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def networks(engine: Any, name: str) -> dict[str, Any]:
    """Return what the engine says of each network that a container is in."""
    found: dict[str, Any] = engine.api.inspect_container(name)["NetworkSettings"]["Networks"]
    return found


LOCKS = """
    import os, pathlib
    status = dict(line.split(":\\t", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines())
    print(os.getuid(), status["CapEff"], status["CapBnd"], status["NoNewPrivs"])
    print(pathlib.Path("/proc/sys/net/ipv4/ip_forward").read_text().strip(), "routes")
    for place in ("/app/x", "/tmp/x"):
        try:
            pathlib.Path(place).write_text("x")
        except OSError as error:
            print(error.strerror, place)
"""


@pytest.mark.docker
def test_behind_a_forwarder_only_the_client_comes_in(engine: Any, counter_image: str, world: str) -> None:
    with CounterEnv.from_docker_image(counter_image, egress=False, forwarder=True).sync() as env:
        assert env.reset(start=2).observation.total == 2
        server, forwarder = names(engine, MINE)
        ways = networks(engine, forwarder)
        (machine,) = (way["Gateway"] for network, way in ways.items() if network != server)
        with answering(machine) as port:
            outside = [(machine, port), (world, 8000)]
            assert reached(engine, forwarder, *outside) == [True, True], "they are there for those who may"
            assert not any(reached(engine, server, *outside, *((way["IPAddress"], 8000) for way in ways.values())))
        if not is_podman(engine):
            inside = networks(engine, server)[server]["Gateway"]
            with pytest.raises(OSError, match="assign requested address"), answering(inside):
                pytest.fail("this machine has an address in there")
        assert env.step(Count(amount=1)).reward == 1
        assert ran(engine, forwarder, LOCKS).splitlines() == [
            "65534 0000000000000000 0000000000000000 1",
            "0 routes",
            "Read-only file system /app/x",
            *([] if is_podman(engine) else ["Read-only file system /tmp/x"]),  # Podman puts memory there
        ]
        found = engine.api.inspect_container(forwarder)
        limits = {key: found["HostConfig"][key] for key in ("Memory", "MemorySwap", "NanoCpus", "PidsLimit")}
        assert limits == {"Memory": 96 << 20, "MemorySwap": 96 << 20, "NanoCpus": 10**9, "PidsLimit": 16}
        assert [place["HostIp"] for place in found["NetworkSettings"]["Ports"]["8000/tcp"]] == ["127.0.0.1"]
    assert left(engine, MINE) == set()


@pytest.mark.docker
def test_at_its_own_address_the_machine_s_side_alone_is_in_reach(engine: Any, counter_image: str, world: str) -> None:
    with CounterEnv.from_docker_image(counter_image, egress=False).sync() as env:
        env.reset()
        (server,) = {name.strip("/") for name in left(engine, MINE)}
        machine = networks(engine, server)[server]["Gateway"]
        with answering(machine) as port:
            assert reached(engine, server, (machine, port), (world, 8000)) == [True, False]
        assert engine.api.inspect_container(server)["HostConfig"]["Dns"] == ["127.0.0.1"], "no name is asked of the machine"
        assert "gaierror" in ran(engine, server, "import socket; socket.getaddrinfo('example.org', 80)")
    assert left(engine, MINE) == set()


@pytest.mark.docker
@pytest.mark.long
async def test_many_clients_share_a_forwarder(engine: Any, counter_image: str) -> None:
    """Long messages and many connections cross whole, whichever end goes first."""
    async with CounterEnv.from_docker_image(counter_image, egress=False, forwarder=True) as env:
        clients = [CounterEnv(base_url=env.base_url) for _ in range(40)]
        for number, client in enumerate(clients):
            await client.reset(start=-number, episode_id="x" * 300_000)
        for number, client in enumerate(clients):
            assert (await client.step(Count(amount=1))).observation.total == 1 - number
            assert (await client.state()).episode_id == "x" * 300_000
        for client in clients:
            await client.close()
        await env.reset()


@pytest.mark.docker
def test_a_port_asked_for_is_a_forwarder_s_which_ends_with_its_server(engine: Any, counter_image: str) -> None:
    port = free_port()
    env: Any = CounterEnv.from_docker_image(counter_image, egress=False, port=port)
    assert env.base_url == f"http://127.0.0.1:{port}"
    env.reset()
    server, _ = names(engine, MINE)
    engine.api.kill(server)
    with pytest.raises(RuntimeError, match=r"its episode is gone|and its episode with it"):
        env.step(Count(amount=1))
    wait_until(lambda: left(engine, MINE) == {server}, 30)
    env.close()
    assert left(engine, MINE) == set()


@pytest.mark.docker
@pytest.mark.long
def test_a_killed_trainer_leaves_a_network_and_the_next_start_none(engine: Any, counter_image: str) -> None:
    program = f"""
        import time
        from counting import CounterEnv
        variables = {{"OPENENV_RESUME_WINDOW_S": "1"}}
        env = CounterEnv.from_docker_image({COUNTER!r}, egress=False, forwarder=True, lease_s=2, env_vars=variables)
        env.reset()
        print("playing", flush=True)
        time.sleep(100)
    """
    path = os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
    command = [sys.executable, "-c", textwrap.dedent(program)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}) as trainer:
        assert trainer.stdout is not None
        assert trainer.stdout.readline().strip() == "playing"
        server, _ = names(engine, trainer.pid)
        trainer.send_signal(signal.SIGKILL)
    wait_until(lambda: left(engine, trainer.pid) == {server}, 60)
    with CounterEnv.from_docker_image(counter_image).sync() as env:
        env.reset()
        assert left(engine, trainer.pid) == set()


@pytest.mark.docker
def test_a_taken_port_is_named_and_nothing_is_left(engine: Any, counter_image: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LaunchError, match=f"the forwarder of .* on port {port}; choose another port"):
            CounterEnv.from_docker_image(counter_image, egress=False, port=port)
    assert left(engine, MINE) == set()


@pytest.mark.docker
@pytest.mark.long
def test_a_forwarder_runs_in_the_image_that_is_named(engine: Any, counter_image: str) -> None:
    with CounterEnv.from_docker_image(counter_image, egress=False, forwarder="openenv-base:latest").sync() as env:
        env.reset()
        _, forwarder = names(engine, MINE)
        assert engine.containers.get(forwarder).image == engine.images.get("openenv-base:latest")
    with pytest.raises(LaunchError, match="there is no image no-such-forwarder here"):
        CounterEnv.from_docker_image(counter_image, egress=False, forwarder="no-such-forwarder")
    assert left(engine, MINE) == set()


@pytest.mark.docker
def test_an_engine_that_is_reached_over_tcp_forwards_by_itself(
    engine: Any, counter_image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxied() as proxy:
        monkeypatch.setenv("DOCKER_HOST", proxy.url)
        with CounterEnv.from_docker_image(counter_image, egress=False).sync() as env:
            assert env.reset(start=2).observation.total == 2
            names(engine, MINE)
    assert left(engine, MINE) == set()


@pytest.mark.parametrize(
    ("where", "told", "forwarder", "forwarded"),
    [
        ("unix:///run/user/1000/docker.sock", {"SecurityOptions": ["name=seccomp", "name=rootless"]}, None, True),
        ("unix:///home/me/.docker/desktop/docker.sock", {"OperatingSystem": "Docker Desktop"}, None, True),
        ("tcp://10.0.0.7:2376", {}, None, True),
        ("unix:///var/run/docker.sock", {"SecurityOptions": ["name=seccomp"]}, None, False),
        ("unix:///var/run/docker.sock", {}, True, True),
    ],
)
def test_who_takes_a_forwarder(
    where: str, told: dict[str, Any], forwarder: bool | None, forwarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", where)
    assert is_forwarded(DockerOptions(egress=False, forwarder=forwarder), None, told) is forwarded
    assert not is_forwarded(DockerOptions(), None, told)
    if forwarded and forwarder is None:
        with pytest.raises(LaunchError, match="egress=False needs a forwarder, as the engine is"):
            is_forwarded(DockerOptions(egress=False, forwarder=False), None, told)
