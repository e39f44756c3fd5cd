"""Building an environment's image from its folder."""

from __future__ import annotations

import os
import shlex
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ..errors import PublishError, UsageError
from .base_image import BASE_IMAGE, CORE_FOLDER, OPENENV_BASE, is_checkout, openenv_base
from .build_log import BuildLog
from .build_remedy import remedy
from .docker_command import DockerCommand
from .dockerfile import argument_default, declares, published_dockerfile
from .environment_folder import EnvironmentFolder
from .image import Image, Step
from .image_name import image_name

INDEXES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL")
PASSED_ON = (BASE_IMAGE, *INDEXES)
"""Environment variables that a build is given, where its Dockerfile takes them."""


class ImageBuild:
    """An image that is to be built by the docker command; nothing is run by making this.

    Args:
        folder: what to build.
        tag: the image's name; None takes `folder.image`.
        context: the folder that the Dockerfile copies from; None takes the environment's own.
        no_cache: build every layer anew.
        build_args: values of the Dockerfile's arguments, over those of the environment variables `PASSED_ON`.
        base_image, interface: see `published_dockerfile`; the folder's own Dockerfile stays as it is.

    Attributes:
        name: of the image.
        context: the folder that the Dockerfile copies from.
        text: the Dockerfile.

    Raises:
        UsageError: the tag is no name of an image, the context is no folder, or as `published_dockerfile` does.
    """

    def __init__(
        self,
        folder: EnvironmentFolder,
        tag: str | None = None,
        *,
        context: Path | None = None,
        no_cache: bool = False,
        build_args: Mapping[str, str] | None = None,
        base_image: str | None = None,
        interface: bool | None = None,
    ) -> None:
        self.name = image_name(tag or folder.image)
        self.context = context or folder.root
        if not self.context.is_dir():
            raise UsageError(f"{self.context} is no folder to build from")
        self._dockerfile = folder.dockerfile
        self._written = folder.dockerfile.read_text(encoding="utf-8")
        self.text = published_dockerfile(self._written, base_image, interface)
        self._no_cache = no_cache
        self._given = dict(build_args or {})
        self._base_is_said = base_image is not None or BASE_IMAGE in self._given

    def changed(self) -> list[str]:
        """Return the lines that the Dockerfile has for this image alone."""
        own = self._written.splitlines()
        return [line for line in self.text.splitlines() if line not in own]

    def calls(self) -> list[str]:
        """Return the commands that are run, as a shell takes them; nothing is run by that."""
        build = shlex.join(["docker", "build", *self._arguments(self._dockerfile, None)])
        if not self._chooses_base():
            return [build]
        return [f"docker image inspect {OPENENV_BASE}, to build on that where it is here", build]

    def run(self, step: Step = lambda told: None) -> Image:
        """Build the image.

        Args:
            step: called with each step as it begins.

        Raises:
            PublishError: there is no docker command, no engine answers, or the build failed: then the message is one line
                that says what to do and names the file with all that was printed, and `output` has the failing step.
        """
        docker, began = DockerCommand(), time.monotonic()
        base = self._base(docker, step) if self._chooses_base() else None
        with _file_with(self.text, self._dockerfile, self._written) as dockerfile:
            arguments = self._arguments(dockerfile, base)
            _build(docker, self.name, arguments, base or self._base_of_dockerfile(), step)
        return Image(self.name, docker.size_bytes(self.name), time.monotonic() - began)

    def _arguments(self, dockerfile: Path, base: str | None) -> list[str]:
        found = ["--tag", self.name, "--force-rm", *["--no-cache"] * self._no_cache]
        given = {**self._given, BASE_IMAGE: base} if base else self._given
        for name in INDEXES if self._base_is_said else PASSED_ON:
            if name not in given and os.environ.get(name) and declares(self.text, name):
                found += ["--build-arg", name]
        for name, value in given.items():
            found += ["--build-arg", f"{name}={value}"]
        return [*found, "--file", str(dockerfile), str(self.context)]

    def _chooses_base(self) -> bool:
        return not self._base_is_said and declares(self.text, BASE_IMAGE)

    def _base(self, docker: DockerCommand, step: Step) -> str | None:
        """Return the image with openenv-core to build on, which a checkout makes first where there is none."""
        asked = os.environ.get(BASE_IMAGE) or None
        if is_checkout() and docker.layers(OPENENV_BASE) is None:
            step(f"{OPENENV_BASE} is not here yet: building it from {CORE_FOLDER}")
            passed = [name for name in PASSED_ON if os.environ.get(name)]
            arguments = [part for name in passed for part in ("--build-arg", name)]
            _build(docker, OPENENV_BASE, ["--tag", OPENENV_BASE, "--force-rm", *arguments, str(CORE_FOLDER)], asked, step)
        found = openenv_base(docker, asked)
        if found is not None:
            step(f"building on {found}, which has openenv-core")
        return found

    def _base_of_dockerfile(self) -> str | None:
        asked = None if self._base_is_said else os.environ.get(BASE_IMAGE)
        return self._given.get(BASE_IMAGE) or asked or argument_default(self.text, BASE_IMAGE)


def _build(docker: DockerCommand, name: str, arguments: list[str], base_image: str | None, step: Step) -> None:
    with BuildLog(step) as log:
        if docker.build(arguments, log.heard):
            return
        failed = log.failed()
        code = "" if failed.exit_code is None else f", exit code {failed.exit_code}"
        where = f" at step {failed.number}{code}" if failed.number else ""
        told = f"{name} was not built{where}: {remedy(failed, base_image)}; all that docker said is in {log.path}"
        raise PublishError(told, output=failed.shown(), log=str(log.path))


@contextmanager
def _file_with(text: str, own: Path, own_text: str) -> Iterator[Path]:
    """Yield a file with this text: the folder's own Dockerfile where it has it already."""
    if text == own_text:
        yield own
        return
    with tempfile.TemporaryDirectory(prefix="openenv-dockerfile-") as place:
        changed = Path(place) / "Dockerfile"
        changed.write_text(text, encoding="utf-8")
        yield changed
