"""A registry of images on this machine: Debian's docker-registry, on a port and in a folder of its own."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import containers
import httpx
import yaml
from serving import wait_until


@contextmanager
def image_registry(folder: Path, password_file: Path | None = None) -> Iterator[str]:
    """Run a registry, and yield its host and port; engines take it without TLS, since it is on this machine.

    Args:
        folder: where it keeps images.
        password_file: in htpasswd's bcrypt form; None lets everybody push.
    """
    command = shutil.which("docker-registry") or containers.missing("there is no docker-registry: scripts/ci-tools installs it")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
    settings: dict[str, object] = {
        "version": 0.1,
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "images")}},
        "http": {"addr": place},
    }
    if password_file is not None:
        settings["auth"] = {"htpasswd": {"realm": "test", "path": str(password_file)}}
    (folder / "registry.yml").write_text(yaml.safe_dump(settings))
    with (folder / "registry.log").open("wb") as log:
        process = subprocess.Popen([command, "serve", str(folder / "registry.yml")], stdout=log, stderr=log)
        try:
            wait_until(lambda: _answers(place) or process.poll() is not None, 20.0)
            assert process.poll() is None, (folder / "registry.log").read_text()
            yield place
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


def _answers(place: str) -> bool:
    try:
        return httpx.get(f"http://{place}/v2/").status_code in (200, 401)
    except httpx.HTTPError:
        return False
