"""Every option of a container and of a service: what it takes, and what is said of all else."""

from __future__ import annotations

import dataclasses
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from containers import COUNTER
from counting import CounterEnv

from openenv.errors import LaunchError
from openenv.launch.docker import DockerOptions, LocalDockerProvider
from openenv.launch.swarm import DockerSwarmProvider
from openenv.launch.swarm.options import OF_THE_CONTAINER, SwarmOptions

YES_OR_NO: tuple[list[Any], list[Any]] = ([True, False], ["no", 1, None])
TEXT_OR_NONE: tuple[list[Any], list[Any]] = ([None, "some"], ["", 5, b"some", ["some"], "a\0b"])
LABELS: tuple[list[Any], list[Any]] = ([{}, {"team": "red", "note": ""}], [{"a": 1}, {1: "a"}, "a=b", ["a=b"], None])

OF_CONTAINERS: dict[str, tuple[list[Any], list[Any]]] = {
    "container_port": ([None, 1, 65535, np.int64(80)], ["80", "80a", 0, 65536, 8.5, True, [80]]),
    "command": ([None, "", "sh -c 'echo hi'", ["echo", ""], ("echo",)], ["echo 'hi", ["echo", 1], 5, {"echo": "hi"}, b"echo"]),
    "user": ([None, "1000:1000", "root", 0, 1000], ["", -1, 1.5, True, ["root"]]),
    "memory_mb": ([None, 1, 0.5e3, np.float32(64)], ["4g", 0, 0.5, -1, math.inf, math.nan, True, [4096]]),
    "cpus": ([None, 0.01, 2, 64.0], ["2", 0, 0.001, -1, math.inf, math.nan, True]),
    "pids": ([None, 1, 4000], ["400", 0, -1, 1.5, True]),
    "read_only": YES_OR_NO,
    "tmpfs_mb": ([0, 64], [-5, "64", 0.5, None, True]),
    "capabilities": ([[], ("CHOWN",), ["CHOWN", "KILL"]], ["CHOWN", None, [1], {"CHOWN": True}, [""]]),
    "new_privileges": YES_OR_NO,
    "volumes": (
        [{}, {"/x": "/y"}, {Path("/x"): "/y:ro"}],
        [["/x"], "/x:/y", None, {"/x": None}, {"/x": {"bind": "/y"}}, {"/x": ""}],
    ),
    "egress": YES_OR_NO,
    "forwarder": ([None], ["", 1, ["openenv-base"]]),
    "network": TEXT_OR_NONE,
    "init": YES_OR_NO,
    "address": (["127.0.0.1", "::1"], [None, "", 5]),
    "lease_s": ([None, 0.5, 300], [0, -1, "300", math.inf, math.nan, True]),
    "stop_timeout_s": ([0, 0.5, 300], [-1, "300", math.inf, None, True]),
    "registry_login": (
        [None, ("me", "secret"), ["me", "secret"]],
        ["me:secret", ("secret",), ("me", "secret", "x"), ("me", 5), 5],
    ),
}
OF_SERVICES: dict[str, tuple[list[Any], list[Any]]] = {
    "replicas": ([1, 3], [0, -1, "2", 1.5, True, None]),
    "constraints": ([[], ("node.role==manager",)], ["node.role==manager", [1], None, {"node.role": "manager"}]),
    "labels": LABELS,
    "restart": YES_OR_NO,
    "health_check": YES_OR_NO,
    "memory_limit": ([None, "512m", "1.5g", 1 << 30], ["lots", "512", "-1g", [512], True, math.nan]),
    "cpu_limit": ([None, "0.5", 2], ["abc", "0", "-1", "nan", "inf", [2]]),
}
AS_A_WHOLE: dict[str, tuple[list[Any], list[Any]]] = {
    "port": ([], ["80a", "8000", -1, 65536, 8.5, True, [8000]]),
    "image": ([], [None, "", 5, b"echo-env"]),
    "env_vars": ([], ["A=1", ["A=1"], 5, {"A": None}, {"A": ["secret"]}, {"A=B": "1"}, {1: "1"}, {"": "1"}]),
}


def cases(*tables: dict[str, tuple[list[Any], list[Any]]], good: bool) -> list[Any]:
    return [
        pytest.param(name, value, id=f"{name}-{value!r:.30}")
        for table in tables
        for name, values in table.items()
        for value in values[not good]
    ]


def test_the_tables_have_every_option() -> None:
    assert {option.name for option in dataclasses.fields(DockerOptions)} == set(OF_CONTAINERS)
    own = {option.name for option in dataclasses.fields(SwarmOptions)} - {"container"}
    assert {*own, "memory_limit", "cpu_limit"} == set(OF_SERVICES)


@pytest.mark.parametrize(("name", "value"), cases(OF_CONTAINERS, good=True))
def test_what_a_container_takes(name: str, value: Any) -> None:
    DockerOptions.read({name: value})


@pytest.mark.parametrize(("name", "value"), cases(OF_SERVICES, good=True))
def test_what_a_service_takes(name: str, value: Any) -> None:
    SwarmOptions.read({name: value})


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is taken comes as far as to the engine, which is nowhere."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nothing.sock")


def told(provider: Any, name: str, value: Any) -> str:
    """Return in which words a value is refused."""
    given = {"image": COUNTER, name: value}
    with pytest.raises(LaunchError) as error:
        provider.start_container(given.pop("image"), **given)
    message = error.value.message
    assert "\n" not in message
    assert len(message) < 250
    assert "secret" not in message
    return message


@pytest.mark.parametrize(("name", "value"), cases(OF_CONTAINERS, AS_A_WHOLE, good=False))
def test_what_a_container_does_not_take(name: str, value: Any) -> None:
    message = told(LocalDockerProvider(), name, value)
    assert f"{name} must be " in message or f"{name}[" in message or f"a name of {name} " in message
    if name in OF_THE_CONTAINER or name in AS_A_WHOLE:
        assert told(DockerSwarmProvider(), name, value) == message


@pytest.mark.parametrize(("name", "value"), cases(OF_SERVICES, good=False))
def test_what_a_service_does_not_take(name: str, value: Any) -> None:
    assert told(DockerSwarmProvider(), name, value).startswith((f"{name} must be ", f"{name}={value!r} is "))


def test_what_is_said_names_what_is_taken() -> None:
    docker, swarm = LocalDockerProvider(), DockerSwarmProvider()
    folders = "volumes must be folders by name, such as {'/data': '/data:ro'}, but is ['/x']"
    assert told(docker, "volumes", ["/x"]) == folders
    assert told(swarm, "port", "80a") == "port must be a whole number from 1 to 65535, or 0 for a free one, but is '80a'"
    assert told(swarm, "labels", {"a": 1}) == "labels must be texts by name, such as {'team': 'red'}, but is {'a': 1}"
    assert told(swarm, "constraints", "node.role==manager").startswith("constraints must be a list of texts, but is ")
    assert told(docker, "tmpfs_mb", -5) == "tmpfs_mb must be a whole number of MiB, or 0 for none, but is -5"
    assert told(docker, "env_vars", {"TOKEN": None}) == "env_vars['TOKEN'] must be a text or a number"
    assert told(docker, "cpus", Decimal("NaN")).startswith("cpus must be a number of cores")
    assert told(docker, "registry_login", "me:secret") == "registry_login must be a name and a password, or None"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"port": 65534, "replicas": 3}, "3 replicas from port 65534 on need ports above 65535"),
        ({"volumes": {"/x": "/y:ro,z"}}, "a swarm mounts a volume ro or rw, not 'ro,z': /x"),
    ],
)
def test_what_a_swarm_cannot_do(options: dict[str, Any], said: str) -> None:
    with pytest.raises(LaunchError, match=said):
        DockerSwarmProvider().start_container(COUNTER, **options)


@pytest.mark.parametrize("options", [{"auto_init_swarm": "no"}, {"overlay_network": 5}, {"overlay_network": ""}])
def test_what_a_swarm_s_provider_does_not_take(options: dict[str, Any]) -> None:
    (name,) = options
    with pytest.raises(LaunchError, match=f"^{name} must be "):
        DockerSwarmProvider(**options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"startup_timeout_s": "soon"}, "startup_timeout_s must be a number of seconds above 0, but is 'soon'"),
        ({"startup_timeout_s": None}, "startup_timeout_s must be "),
        ({"env_vars": ["A=1"]}, "env_vars must be values by name"),
        ({"volumes": ["/x"]}, "volumes must be "),
    ],
)
def test_a_client_s_beginning_says_the_same(options: dict[str, Any], said: str) -> None:
    with pytest.raises(LaunchError, match=said):
        CounterEnv.from_docker_image(COUNTER, **options)
