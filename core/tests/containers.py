"""A container engine and images for tests, or why there are none."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from openenv.errors import LaunchError
from openenv.launch.docker.engine import connect, remove_network, services
from openenv.launch.docker.owner import HOST, PID, host

ROOT = Path(__file__).parents[2]
REQUIRED = os.environ.get("CI") == "true"

COUNTER = "openenv-test-counter:latest"

READY = "OPENENV_TEST_IMAGES_READY"
"""An environment variable: the engine has the images, and need not build them."""


def missing(why: str) -> NoReturn:
    """Skip a test that cannot run here, or fail it where it must."""
    if REQUIRED:
        pytest.fail(why, pytrace=False)
    pytest.skip(why)


def engine() -> Any:
    """Return a client of the engine."""
    try:
        return connect()
    except LaunchError as error:
        missing(error.message)


def built(*names: str) -> None:
    """Build images of the checkout, which takes seconds where they are up to date."""
    if READY in os.environ:
        return
    done = subprocess.run([ROOT / "scripts/images", *names], capture_output=True, text=True)
    if done.returncode:
        missing(f"the images cannot be built here; is BASE_IMAGE set?\n{done.stderr[-2000:]}")


def build(client: Any, tag: str, dockerfile: str, *files: Path) -> None:
    """Build an image from a few files."""
    if READY in os.environ:
        return
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        told = tarfile.TarInfo("Dockerfile")
        told.size = len(dockerfile)
        archive.addfile(told, io.BytesIO(dockerfile.encode()))
        for file in files:
            archive.add(file, file.name)
    content.seek(0)
    client.images.build(fileobj=content, custom_context=True, tag=tag, rm=True)


def build_counter(client: Any) -> str:
    """Build the image of a server of `Counter`; return its name."""
    built("base")
    here = Path(__file__).parent
    lines = (
        "FROM openenv-base:latest",
        "COPY counting.py serving_counter.py /app/",
        'CMD ["python3", "-m", "openenv.server", "serving_counter:app", "--host", "0.0.0.0", "--port", "8000"]',
    )
    build(client, COUNTER, "\n".join(lines), here / "counting.py", here / "serving_counter.py")
    return COUNTER


def docker_command(buildkit: str) -> str:
    """Return a docker command that builds so, with BuildKit (`1`) or the classic builder (`0`)."""
    candidates = dict.fromkeys(filter(None, [shutil.which("docker"), "/usr/bin/docker"]))
    builds = (command for command in candidates if _builds(command, buildkit))
    return next(builds, None) or missing(f"no docker command here builds with DOCKER_BUILDKIT={buildkit}")


def _builds(command: str, buildkit: str) -> bool:
    trial = subprocess.run(
        [command, "build", "--quiet", "-"],
        input=b"FROM scratch\nLABEL trial=yes\n",
        capture_output=True,
        env={**os.environ, "DOCKER_BUILDKIT": buildkit},
    )
    return trial.returncode == 0


def left(client: Any, pid: int) -> set[str]:
    """Return the names of the containers and networks of a process that are there."""
    its = {"label": [f"{HOST}={host()}", f"{PID}={pid}"]}
    found = {container["Names"][0] for container in client.api.containers(all=True, filters=its)}
    return found | {network["Name"] for network in client.api.networks(filters=its)}


def left_in_swarm(client: Any, pid: int) -> set[str]:
    """Return the names of the services of a process that are there."""
    return {one["Spec"]["Name"] for one in services(client, label=[f"{HOST}={host()}", f"{PID}={pid}"])}


def runs(client: Any, service: str) -> bool:
    """Return whether a service has a container that has not ended."""
    ended = ("complete", "failed", "rejected", "shutdown")
    return any(task["Status"]["State"] not in ended for task in client.api.tasks(filters={"service": service}))


def swarm(client: Any) -> str:
    """Return how the engine stands to a swarm: `inactive` is outside any."""
    state: str = client.info()["Swarm"]["LocalNodeState"]
    return state


@contextlib.contextmanager
def a_swarm(client: Any) -> Iterator[None]:
    """Put the engine into a swarm that no provider has made, unless it is in one."""
    if swarm(client) == "active":
        yield
        return
    bridge_is_new = not client.api.networks(names=["docker_gwbridge"])
    client.swarm.init(advertise_addr="127.0.0.1", listen_addr="127.0.0.1")
    yield
    client.swarm.leave(force=True)
    if bridge_is_new:
        remove_network(client, "docker_gwbridge")
