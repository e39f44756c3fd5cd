"""The docker command, which builds images and pushes them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import deque
from collections.abc import Callable, Mapping

from ..errors import PublishError

TAIL_LINES = 20
INTEGRATED = range(18, 23)
"""Versions of the command that have BuildKit in themselves; later ones have it in their plugin buildx."""

Heard = Callable[[str], None]
"""Is called with each line that a command prints."""


class DockerCommand:
    """The docker command on the PATH, or Podman's of that name.

    Raises:
        PublishError: there is none, or its engine does not answer.
    """

    def __init__(self) -> None:
        command = shutil.which("docker")
        if command is None:
            raise PublishError("there is no docker command: install Docker, or Podman with its docker command")
        self._command = command
        asked = self._ask("info")
        if asked.returncode:
            why = (asked.stderr.strip().splitlines() or ["it did not say why"])[-1]
            raise PublishError(f"no container engine answers: {why}; start it, or name another with DOCKER_HOST")

    def build(self, arguments: list[str], heard: Heard) -> None:
        """Run `docker build`, with BuildKit where the command has it and `DOCKER_BUILDKIT` does not decide otherwise.

        Args:
            arguments: those of `docker build`.
            heard: called with each line.

        Raises:
            PublishError: the build failed; the message ends with the last lines that were printed.
        """
        builder = os.environ.get("DOCKER_BUILDKIT") or ("1" if self._has_buildkit() else "0")
        chosen = {"DOCKER_BUILDKIT": builder, "BUILDKIT_PROGRESS": "plain"}
        self._run(["build", *arguments], heard, chosen, "the image was not built")

    def push(self, image: str, heard: Heard) -> None:
        """Run `docker push`. Raises `PublishError` where that fails, as `build` does."""
        self._run(["push", image], heard, {}, f"{image} was not pushed (docker login, if its registry wants to know you)")

    def size_bytes(self, image: str) -> int:
        """Return how large an image is on this machine. Raises `PublishError` where it is not here."""
        asked = self._ask("image", "inspect", "--format", "{{.Size}}", image)
        if asked.returncode:
            raise PublishError(f"there is no image {image} here: {asked.stderr.strip()}")
        return int(asked.stdout)

    def _has_buildkit(self) -> bool:
        if self._ask("buildx", "version").returncode == 0:
            return True
        major = self._ask("version", "--format", "{{.Client.Version}}").stdout.partition(".")[0]
        return major.isdigit() and int(major) in INTEGRATED

    def _ask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([self._command, *arguments], capture_output=True, text=True, errors="replace")

    def _run(self, arguments: list[str], heard: Heard, variables: Mapping[str, str], failed: str) -> None:
        tail: deque[str] = deque(maxlen=TAIL_LINES)
        with subprocess.Popen(
            [self._command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**os.environ, **variables},
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if line.strip():
                    tail.append(line.rstrip())
                    heard(line.rstrip())
        if process.returncode:
            raise PublishError("\n".join([f"{failed}; docker's last words:", *tail]))
