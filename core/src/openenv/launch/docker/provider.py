"""Containers of the engine of this machine, or of the one that `DOCKER_HOST` names."""

from __future__ import annotations

from typing import Any

from ...errors import LaunchError
from ..provider import ContainerProvider
from . import engine
from .options import DockerOptions, read_call
from .running import Running


class LocalDockerProvider(ContainerProvider):
    """Runs one container at a time, locked up by default; needs the extra `docker`, and a Docker or Podman engine.

    A container is removed when it ends. It is stopped by `stop_container`, and when this process ends; where that is killed,
    the server ends once nobody has used it for `lease_s`, and the next start on the same machine removes what is left.
    """

    def __init__(self) -> None:
        self._running: Running | None = None

    def start_container(
        self, image: str, port: int | None = None, env_vars: dict[str, str] | None = None, **options: Any
    ) -> str:
        """See `ContainerProvider.start_container`; the options are the fields of `DockerOptions`.

        Raises:
            LaunchError: no engine, no such image, a taken port, an option that there is not or that cannot be; or the container
                ended at once.
        """
        if self._running is not None:
            raise LaunchError(f"{self._running.image} is running already: stop it first, or use another provider")
        chosen = DockerOptions.read(options)
        port, given = read_call(image, port, env_vars)
        client = engine.connect()
        running = self._running = Running(client, image, chosen)
        try:
            engine.sweep(client)
            return running.start(port, given)
        except BaseException:
            self.stop_container()
            raise

    def wait_for_ready(self, base_url: str, timeout_s: float = 30.0) -> None:
        """See `ContainerProvider.wait_for_ready`. Raises `LaunchError` with the container's last lines of output."""
        from ..readiness import answers

        running = self._running
        if running is None:
            raise LaunchError("no container has been started")
        try:
            if not answers(base_url, timeout_s, alive=running.running):
                raise running.failure(f"{running.image} did not answer at {base_url} within {timeout_s:g} s")
        except BaseException:
            self.stop_container()
            raise

    def stop_container(self) -> None:
        """Stop the container and remove all that was made for it. Twice does no harm."""
        running, self._running = self._running, None
        if running is not None:
            running.stop()

    def is_running(self) -> bool:
        """See `RuntimeProvider.is_running`."""
        running = self._running
        return running is not None and running.running()

    @property
    def output(self) -> list[str]:
        """The last lines that the container printed."""
        return list(self._running.lines) if self._running is not None else []
