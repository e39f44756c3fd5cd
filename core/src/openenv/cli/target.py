"""What a command plays at: a server that runs, or one that is started for as long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from ..client.address import address, is_address
from ..errors import LaunchError, MissingExtra, UsageError
from ..launch.provider import Container, RuntimeProvider
from ..server.folder import is_folder
from .progress import progress


@contextmanager
def served(target: str) -> Iterator[str]:
    """Yield the URL of a server; one that was started for it is gone at the end, its container too.

    Args:
        target: an address, an image, an environment's folder, or what else `name_of` takes.

    Raises:
        UsageError: it is none of these.
        MissingExtra: it is an image, and the extra `docker` is not installed.
        LaunchError: the server did not come up.
    """
    from ..server.naming import is_image

    if is_address(target):
        yield address(target).http
        return
    provider = _container(target) if is_image(target) else _process(target)
    try:
        with progress(f"starting {target}"):
            url = _started(provider)
        yield url
    finally:
        with progress(f"stopping {target}"):
            provider.stop()


def _container(image: str) -> Container:
    if find_spec("docker") is None:
        raise MissingExtra(f"the image {image} is run by the Docker SDK: pip install 'openenv-core[docker]'")
    from ..launch.docker import LocalDockerProvider

    return Container(LocalDockerProvider(), image)


def _process(target: str) -> RuntimeProvider:
    from ..launch.process import ProcessProvider
    from ..server.naming import is_image, name_of

    try:
        return ProcessProvider(str(Path(target).resolve()) if is_folder(target) else name_of(target))
    except UsageError as error:
        if is_image(f"{target}:latest"):
            error.message += f"; an image is named with its tag, {target}:latest"
        raise


def _started(provider: RuntimeProvider) -> str:
    try:
        url = provider.start()
        provider.wait_for_ready()
    except LaunchError as error:
        if isinstance(provider, Container):
            error.message = f"the image {provider.image} cannot be played: {error.message}"
        raise
    return url
