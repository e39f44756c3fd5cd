"""Servers in a Docker swarm: each at its own address, started again where it falls, and surely gone."""

from __future__ import annotations

import copy
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from confinement import LOCKED, LOOK
from containers import COUNTER, a_swarm, left, left_in_swarm, missing, runs, swarm
from counting import Count, CounterEnv

from openenv.core.containers.runtime import DockerSwarmProvider
from openenv.errors import LaunchError, SessionLost
from openenv.launch.docker import LocalDockerProvider, owner
from openenv.launch.docker.engine import connect, remove_services, sweep

MINE = os.getpid()
SLOW_TO_START = ["python3", "-c", "import time; print('not yet', flush=True); time.sleep(100)"]
needs_engine = pytest.mark.docker


@pytest.fixture
def provider(engine: Any, counter_image: str, swarm_turn: None) -> Iterator[DockerSwarmProvider]:
    provider = DockerSwarmProvider()
    yield provider
    provider.close()


@pytest.fixture
def outside(engine: Any, counter_image: str, swarm_turn: None) -> None:
    """The engine is in no swarm."""
    if swarm(engine) != "inactive":
        missing("this engine is in a swarm, which is not for tests to leave")


def container_of(engine: Any, service: str) -> str:
    (container,) = engine.api.containers(filters={"label": f"com.docker.swarm.service.name={service}"})
    identifier: str = container["Id"]
    return identifier


def inside(engine: Any, service: str, program: str) -> str:
    """Return what a Python program prints in a service's container."""
    job = engine.api.exec_create(container_of(engine, service), ["python3", "-c", textwrap.dedent(program)])
    output: bytes = engine.api.exec_start(job["Id"])
    return output.decode().strip()


def trainer(program: str) -> subprocess.Popen[str]:
    """Start a trainer as a process, and wait until it prints that it plays."""
    path = os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
    imports = "import time\nfrom counting import CounterEnv\nfrom openenv.launch.swarm import DockerSwarmProvider\n"
    begun = subprocess.Popen(
        [sys.executable, "-c", imports + textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert begun.stdout is not None
    if begun.stdout.readline().strip() != "playing":
        pytest.fail(f"the trainer did not come to play: {begun.communicate()[1]}")
    return begun


@needs_engine
def test_a_killed_replica_costs_its_own_sessions_and_comes_back(engine: Any, provider: DockerSwarmProvider) -> None:
    first = provider.start_container(COUNTER, replicas=3)
    provider.wait_for_ready(first, 60.0)
    urls = provider.base_urls
    assert urls[0] == first
    assert len(set(urls)) == 3
    players = [CounterEnv(base_url=url).sync() for url in urls]
    for start, player in enumerate(players):
        player.reset(start=start)
    second = sorted(left_in_swarm(engine, MINE))[1]
    engine.api.kill(container_of(engine, second))
    with pytest.raises(SessionLost, match=r"its episode is gone|and its episode with it|this session is unknown"):
        players[1].step(Count(amount=1))
    assert [player.step(Count(amount=1)).observation.total for player in (players[0], players[2])] == [1, 3]
    provider.wait_for_ready(first, 60.0)
    assert provider.base_urls == urls
    assert players[1].reset(start=7).observation.total == 7
    assert [player.state().total for player in players] == [1, 7, 3]
    for player in players:
        player.close()
    provider.close()
    assert left_in_swarm(engine, MINE) == set()


@needs_engine
@pytest.mark.usefixtures("outside")
def test_the_published_provider_s_calls(engine: Any, counter_image: str) -> None:
    """Its options have the names and the forms of `docker service create`; the swarm made for them is left with them."""
    provider = DockerSwarmProvider(auto_init_swarm=True, overlay_network=None)
    url = provider.start_container(
        counter_image,
        port=None,
        env_vars={"OPENENV_MODE": "simulation"},
        replicas=1,
        cpu_limit="0.5",
        memory_limit="300m",
        constraints=["node.role==manager"],
        labels={"team": "red"},
        command="python3 -m openenv.server serving_counter:app --host 0.0.0.0 --port 8000",
    )
    provider.wait_for_ready(url, timeout_s=60.0)
    with CounterEnv(base_url=url).sync() as env:
        assert env.reset(start=3).observation.total == 3
    (name,) = left_in_swarm(engine, MINE)
    service = engine.api.inspect_service(name)["Spec"]
    assert service["Labels"]["team"] == "red"
    assert service["TaskTemplate"]["Placement"]["Constraints"] == ["node.role==manager"]
    assert service["TaskTemplate"]["Resources"]["Limits"] == {"NanoCPUs": 5 * 10**8, "MemoryBytes": 300 << 20, "Pids": 1344}
    provider.stop_container()
    provider.close()
    assert (left_in_swarm(engine, MINE), left(engine, MINE), swarm(engine)) == (set(), set(), "inactive")


@needs_engine
def test_a_service_is_locked_up(engine: Any, provider: DockerSwarmProvider) -> None:
    """No capabilities, nothing of the machine, nothing to write but /tmp, and less of everything than there is."""
    unstarted = copy.copy(provider)
    provider.start_container(COUNTER, memory_mb=300, cpus=1, pids=400)
    assert unstarted.base_urls == []
    (service,) = left_in_swarm(engine, MINE)
    assert inside(engine, service, LOOK).splitlines()[:-1] == LOCKED
    limits = engine.api.inspect_container(container_of(engine, service))["HostConfig"]
    assert {key: limits[key] for key in ("Memory", "NanoCpus", "PidsLimit")} == {
        "Memory": 300 << 20,
        "NanoCpus": 10**9,
        "PidsLimit": 400,
    }
    template = engine.api.inspect_service(service)["Spec"]["TaskTemplate"]["ContainerSpec"]
    assert template["StopGracePeriod"] == 15 * 10**9


@needs_engine
def test_the_next_start_sweeps_up_after_the_dead(engine: Any, provider: DockerSwarmProvider) -> None:
    """A service with the labels of a process that has ended; with those of one that lives it stays."""
    program = "import json; from openenv.launch.docker.owner import labels; print(json.dumps(labels()))"
    ended = json.loads(subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout)
    sleeping: dict[str, Any] = {"Image": COUNTER, "Args": ["sleep", "100"], "StopGracePeriod": 0}
    with a_swarm(engine):
        for name, labels in (("openenv-test-dead", ended), ("openenv-test-living", owner.labels())):
            engine.api.create_service({"ContainerSpec": sleeping}, name=name, labels=labels)
        provider.start_container(COUNTER, command=SLOW_TO_START, stop_timeout_s=0)
        there = {service["Spec"]["Name"] for service in engine.api.services()}
        assert "openenv-test-dead" not in there
        assert "openenv-test-living" in there
        remove_services(engine, ["openenv-test-living"])
        provider.close()


@needs_engine
@pytest.mark.long
@pytest.mark.usefixtures("swarm_turn")
def test_locks_are_opened_by_name_and_servers_join_a_network(engine: Any, counter_image: str, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("read me")
    provider = DockerSwarmProvider(overlay_network="openenv-test-overlay")
    try:
        url = provider.start_container(
            counter_image,
            read_only=False,
            volumes={str(tmp_path): "/data:ro"},
            user="root",
            capabilities=["CHOWN"],
            tmpfs_mb=0,
            init=False,
        )
        provider.wait_for_ready(url, 60.0)
        (service,) = left_in_swarm(engine, MINE)
        told = inside(
            engine, service, "open('/app/x', 'w'); import os; os.chown('/app/x', 7, 7); print(open('/data/data').read())"
        )
        assert told == "read me"
        found = engine.api.inspect_container(container_of(engine, service))
        assert "openenv-test-overlay" in found["NetworkSettings"]["Networks"]
        assert found["HostConfig"]["Init"] is False
    finally:
        provider.close()
    assert engine.api.networks(names=["openenv-test-overlay"]) == []


@needs_engine
@pytest.mark.long
@pytest.mark.usefixtures("outside")
def test_a_swarm_that_was_there_stays(engine: Any, provider: DockerSwarmProvider) -> None:
    with a_swarm(engine):
        provider.start_container(COUNTER)
        provider.close()
        assert swarm(engine) == "active"


@needs_engine
@pytest.mark.long
@pytest.mark.usefixtures("outside")
def test_a_swarm_with_something_else_in_it_stays(engine: Any, counter_image: str) -> None:
    first, second = DockerSwarmProvider(), DockerSwarmProvider()
    first.start_container(counter_image)
    url = second.start_container(counter_image)
    first.close()
    second.wait_for_ready(url, 60.0)
    secret = engine.secrets.create(name="openenv-test", data=b"x")
    second.close()
    assert swarm(engine) == "active"
    secret.remove()


@needs_engine
@pytest.mark.usefixtures("outside")
def test_no_swarm_is_made_where_it_must_not_be(engine: Any, counter_image: str) -> None:
    with pytest.raises(LaunchError, match="this engine is in no swarm: run `docker swarm init`") as told:
        CounterEnv.from_docker_image(counter_image, DockerSwarmProvider(auto_init_swarm=False))
    assert "\n" not in told.value.message
    assert swarm(engine) == "inactive"


@needs_engine
@pytest.mark.long
def test_what_no_node_takes_is_told(engine: Any, provider: DockerSwarmProvider) -> None:
    with pytest.raises(
        LaunchError, match=r"no node of the swarm takes openenv-test-counter:latest: .*constraints not satisfied"
    ):
        provider.start_container(COUNTER, constraints=["node.labels.colour==green"])
    assert left_in_swarm(engine, MINE) == set()


@needs_engine
@pytest.mark.long
def test_one_that_does_not_answer_is_ended(engine: Any, provider: DockerSwarmProvider) -> None:
    options: dict[str, Any] = {"command": SLOW_TO_START, "stop_timeout_s": 0}
    with pytest.raises(LaunchError, match=r"did not answer at http://127\.0\.0\.1:\d+ within 1 s; its last output:\n  not yet"):
        CounterEnv.from_docker_image(COUNTER, provider, startup_timeout_s=1.0, **options)
    assert left_in_swarm(engine, MINE) == set()


@needs_engine
def test_one_that_ends_at_once_is_a_start_that_failed(engine: Any, provider: DockerSwarmProvider) -> None:
    for command, told in [
        ("false", r"ended with code 1 before it answered; its last output:\n  \(it printed nothing\)"),
        ("sh -c 'echo no such game; exit 3'", r"ended with code 3 before it answered; its last output:\n  no such game"),
    ]:
        with pytest.raises(LaunchError, match=told):
            provider.start_container(COUNTER, command=command)
        assert left_in_swarm(engine, MINE) == set()


@needs_engine
@pytest.mark.long
@pytest.mark.usefixtures("swarm_turn")
@pytest.mark.skipif(sys.platform == "win32", reason="interrupts and kills by signal")
def test_nothing_stays_of_an_interrupted_trainer_nor_at_the_next_start_of_a_killed_one(engine: Any, counter_image: str) -> None:
    program = f"""
        env = CounterEnv.from_docker_image({counter_image!r}, DockerSwarmProvider(), lease_s=None)
        print("playing", flush=True)
        time.sleep(100)
    """
    interrupted, killed = trainer(program), trainer(program)
    interrupted.send_signal(signal.SIGINT)
    _, log = interrupted.communicate(timeout=60)
    assert "KeyboardInterrupt" in log
    assert left_in_swarm(engine, interrupted.pid) == set()
    killed.kill()
    killed.communicate()
    (service,) = left_in_swarm(engine, killed.pid)
    assert runs(engine, service)
    sweeping = LocalDockerProvider()
    sweeping.start_container(counter_image)
    sweeping.close()
    assert left_in_swarm(engine, killed.pid) == set()


@needs_engine
@pytest.mark.long
def test_a_service_that_is_gone_does_no_harm(engine: Any, provider: DockerSwarmProvider) -> None:
    """Somebody else removes it, as by `docker service rm`."""
    url = provider.start_container(COUNTER)
    remove_services(engine, left_in_swarm(engine, MINE))
    with pytest.raises(LaunchError, match="not found"):
        provider.wait_for_ready(url, 5.0)
    provider.close()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"nonsense": 1}, r"a swarm takes no nonsense: it takes .*constraints, .*memory_limit, .*replicas"),
        ({"network": "others", "egress": False}, "a swarm takes no egress, network"),
        ({"memory_limit": "lots"}, "memory_limit='lots' is no amount of memory: say 512m"),
        ({"memory_limit": "512"}, "memory_limit='512' is less than 1 MiB"),
        ({"memory_limit": "1g", "memory_mb": 1024}, "memory_limit and memory_mb say the same"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], told: str) -> None:
    with pytest.raises(LaunchError, match=told):
        DockerSwarmProvider().start_container(COUNTER, **options)


@needs_engine
@pytest.mark.long
@pytest.mark.usefixtures("outside")
def test_an_engine_that_leaves_its_swarm_has_nothing_to_sweep(engine: Any, caplog: pytest.LogCaptureFixture) -> None:
    over = threading.Event()

    def sweep_on() -> None:
        with closing(connect()) as client:
            while not over.is_set():
                sweep(client)

    with ThreadPoolExecutor() as threads:
        sweeping = [threads.submit(sweep_on) for _ in range(3)]
        try:
            for _ in range(4):
                engine.swarm.init(advertise_addr="127.0.0.1")
                engine.swarm.leave(force=True)
        finally:
            over.set()
    assert [one.result() for one in sweeping] == [None] * 3
    assert caplog.messages == []
