"""A server of a project's own folder, run by uv with the dependencies that the project names."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import LaunchError
from . import tether
from .process import ServerProcess
from .provider import RuntimeProvider
from .readiness import answers

LISTENING = re.compile(r"Uvicorn running on (https?://\S+)")
"""The line in which uvicorn tells its address."""

ANY_ADDRESS = re.compile(r"//(0\.0\.0\.0|\[::\])(?=[:/]|$)")

STOP_TIMEOUT_S = tether.GRACE_S + 5.0


class UVProvider(RuntimeProvider):
    """Runs `uv run uvicorn …` in a project's folder; uv installs what the project needs before that.

    The project may be of this package's environments or of the published one's: it needs uvicorn among its dependencies,
    which either brings. The server ends with `stop`, and with this process however that ends.

    Args:
        project_path: the folder with the `pyproject.toml`.
        app: `module:attribute` of the app, importable from the folder or as the project installs it.
        host: address to listen on. Default `127.0.0.1`; `0.0.0.0` lets other machines in.
        reload: start the server again when the project's files change.
        env_vars: environment variables of the server, over this process's.
        context_timeout_s: seconds until it must answer, the installation included. Default 60.

    Raises:
        LaunchError: there is no such project.
    """

    def __init__(
        self,
        *,
        project_path: str,
        app: str = "server.app:app",
        host: str = "127.0.0.1",
        reload: bool = False,
        env_vars: Mapping[str, str] | None = None,
        context_timeout_s: float = 60.0,
    ) -> None:
        self.project_path = Path(project_path).resolve()
        if not (self.project_path / "pyproject.toml").is_file():
            raise LaunchError(f"{self.project_path} is no project: it has no pyproject.toml")
        self.app = app
        self.host = host
        self.reload = reload
        self.env_vars = dict(env_vars or {})
        self.context_timeout_s = context_timeout_s
        self._process: ServerProcess | None = None
        self._url: str | None = None

    @property
    def base_url(self) -> str | None:
        """Where the server is; None where it has not been started."""
        return self._url

    def start(self, port: int | None = None, env_vars: dict[str, str] | None = None, workers: int = 1, **options: Any) -> str:
        """See `RuntimeProvider.start`; returns once the server has bound its port.

        Args:
            port: the port to use; None takes a free one.
            env_vars: environment variables for it, over those of the constructor.
            workers: processes that serve. Default 1. The sessions of several are not found by one another.

        Raises:
            LaunchError: it runs already, an unknown option, no uv here, or it did not open its port in time.
        """
        if self._process is not None:
            raise LaunchError(f"{self.app} of {self.project_path} is running already")
        if options:
            raise LaunchError(f"uv takes no {', '.join(sorted(options))}")
        command = [sys.executable, tether.__file__, *self._command(port or 0, workers)]
        process = ServerProcess(self.app, command, {**self.env_vars, **(env_vars or {})}, LISTENING)
        self._process = process
        url = process.wait_for_url(self.context_timeout_s)
        if url is None:
            raise self._failed(process, f"{self.app} did not open its port within {self.context_timeout_s:g} s")
        self._url = ANY_ADDRESS.sub("//127.0.0.1", url)
        return self._url

    def wait_for_ready(self, timeout_s: float | None = None) -> None:
        """See `RuntimeProvider.wait_for_ready`; None takes `context_timeout_s`."""
        process = self._process
        if process is None or self._url is None:
            raise LaunchError(f"{self.app} has not been started")
        limit = self.context_timeout_s if timeout_s is None else timeout_s
        if not answers(self._url, limit, alive=process.running):
            raise self._failed(process, f"{self.app} did not answer within {limit:g} s")

    def stop(self) -> None:
        """End the server: ask it, and kill it where it does not listen in time. Twice does no harm."""
        process, self._process, self._url = self._process, None, None
        if process is not None:
            process.stop(STOP_TIMEOUT_S)

    def is_running(self) -> bool:
        """See `RuntimeProvider.is_running`."""
        process = self._process
        return process is not None and process.running()

    def _command(self, port: int, workers: int) -> list[str]:
        uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
        if uv is None:
            raise LaunchError("there is no uv to run the project with: pip install uv")
        folder = str(self.project_path)
        command = [uv, "run", "--quiet", "--project", folder, "--directory", folder, "uvicorn", self.app]
        command += ["--host", self.host, "--port", str(port), "--workers", str(workers)]
        return [*command, "--reload"] if self.reload else command

    def _failed(self, process: ServerProcess, what: str) -> LaunchError:
        error = LaunchError(process.report(what))
        self.stop()
        return error
