"""What is promised of containers, once more with a Podman engine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from containers import COUNTER, READY, missing

HERE = Path(__file__).parent
SUITES = [str(HERE / name) for name in ("test_providers.py", "test_docker.py", "test_docker_egress.py")]
OPTIONS = ["-q", "--tb=line", "-p", "no:cacheprovider", "-m", "docker and not long", "-k", "not swarm"]
"""Podman has no swarms."""

TOOLS = ("podman", "runc", "unshare", "docker")

SERVE = """
set -eu
ip link set lo up
podman --root "$1/root" --runroot "$1/run" --network-config-dir "$1/networks" system service --time 0 "unix://$1/podman.sock" &
trap 'kill $!' EXIT
for _ in $(seq 100); do [ -S "$1/podman.sock" ] && break; sleep 0.1; done
export DOCKER_HOST="unix://$1/podman.sock"
docker load --quiet --input "$1/images.tar"
shift
"$@"
"""
"""In a network of its own, where no other engine's firewall is; and of all that it starts, nothing outlives it."""

SETTINGS = """
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "netavark"
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for all that an engine keeps, of a name short enough for it."""
    absent = [tool for tool in TOOLS if shutil.which(tool) is None]
    absent += [] if any(Path(place, "podman/netavark").exists() for place in ("/usr/lib", "/usr/libexec")) else ["netavark"]
    if absent or os.geteuid() != 0:
        missing(f"a Podman engine needs root and {', '.join(absent or TOOLS)}")
    with tempfile.TemporaryDirectory(prefix="podman-") as name:
        place = Path(name)
        (place / "containers.conf").write_text(SETTINGS)
        yield place
        command = ["podman", "--root", f"{name}/root", "--runroot", f"{name}/run", "system", "reset", "--force"]
        subprocess.run(command, capture_output=True, env={**os.environ, "CONTAINERS_CONF": str(place / "containers.conf")})


@pytest.mark.docker
@pytest.mark.long
@pytest.mark.timeout(900)
def test_podman_keeps_what_docker_promises(counter_image: str, folder: Path) -> None:
    subprocess.run(["docker", "save", "--output", folder / "images.tar", COUNTER, "openenv-base:latest"], check=True)
    tests = [sys.executable, "-m", "pytest", *OPTIONS, *SUITES]
    done = subprocess.run(
        ["unshare", "--net", "--pid", "--fork", "--mount-proc", "bash", "-c", SERVE, "bash", str(folder), *tests],
        capture_output=True,
        text=True,
        env={**os.environ, "CONTAINERS_CONF": str(folder / "containers.conf"), READY: "yes", "CI": "true"},
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
