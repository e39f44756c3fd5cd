"""The docker command, which builds images and pushes them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping

from ..errors import PublishError
from .image_name import registry_of

INTEGRATED = range(18, 23)
"""Versions of the command that have BuildKit in themselves; later ones have it in their plugin buildx."""

NOT_ALLOWED = re.compile(r"denied|unauthorized|authentication|no basic auth", re.IGNORECASE)
NO_ANSWER = re.compile(r"refused|no such host|dial tcp|timeout|timed out|unreachable", re.IGNORECASE)

ESCAPE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\].*?(?:\x07|\x1b\\)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""What colours a terminal or moves its cursor."""

Heard = Callable[[str], None]
"""Is called with each line that a command prints, as plain text."""


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

    def build(self, arguments: list[str], heard: Heard) -> bool:
        """Run `docker build`, with BuildKit where the command has it and `DOCKER_BUILDKIT` does not decide otherwise.

        Args:
            arguments: those of `docker build`.
            heard: called with each line.

        Returns:
            Whether an image was built.
        """
        builder = os.environ.get("DOCKER_BUILDKIT") or ("1" if self._has_buildkit() else "0")
        chosen = {"DOCKER_BUILDKIT": builder, "BUILDKIT_PROGRESS": "plain"}
        return self._run(["build", *arguments], heard, chosen)

    def push(self, image: str, heard: Heard) -> None:
        """Run `docker push`.

        Raises:
            PublishError: that failed; the message is one line that says what to do.
        """
        last = ""

        def hear(line: str) -> None:
            nonlocal last
            last = line
            heard(line)

        if not self._run(["push", image], hear, {}):
            raise PublishError(f"{image} was not pushed: {last}; {_after_a_push(registry_of(image), last)}")

    def size_bytes(self, image: str) -> int:
        """Return how large an image is on this machine. Raises `PublishError` where it is not here."""
        asked = self._ask("image", "inspect", "--format", "{{.Size}}", image)
        if asked.returncode:
            raise PublishError(f"there is no image {image} here: {asked.stderr.strip()}")
        return int(asked.stdout)

    def layers(self, image: str) -> list[str] | None:
        """Return the digests of an image's layers, lowest first, or None where it is not on this machine."""
        asked = self._ask("image", "inspect", "--format", "{{json .RootFS.Layers}}", image)
        found: list[str] | None = None if asked.returncode else json.loads(asked.stdout)
        return found

    def _has_buildkit(self) -> bool:
        if self._ask("buildx", "version").returncode == 0:
            return True
        major = self._ask("version", "--format", "{{.Client.Version}}").stdout.partition(".")[0]
        return major.isdigit() and int(major) in INTEGRATED

    def _ask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([self._command, *arguments], capture_output=True, text=True, errors="replace")

    def _run(self, arguments: list[str], heard: Heard, variables: Mapping[str, str]) -> bool:
        """Run the command to its end, and return whether it did what was asked."""
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
                plain = ESCAPE.sub("", line).rstrip()
                if plain:
                    heard(plain)
        return process.returncode == 0


def _after_a_push(registry: str, said: str) -> str:
    if NOT_ALLOWED.search(said):
        return f"docker login {registry}, as somebody who may push there"
    if NO_ANSWER.search(said):
        return f"no registry answers at {registry}: start it, or name another"
    return f"look at what the registry {registry} takes"
