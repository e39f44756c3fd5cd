"""Servers of Spaces: where the Hub runs them, and on this machine from their files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ..errors import LaunchError
from ..launch.provider import RuntimeProvider
from ..launch.readiness import answers
from ..launch.uv import UVProvider
from .spaces import Hub, Space

WAKING_TIMEOUT_S = 120.0
"""A Space that sleeps is started by the first request to it."""

REACHABLE = ("RUNNING", "RUNNING_BUILDING", "RUNNING_APP_STARTING", "APP_STARTING", "SLEEPING")

WHY_NOT = {
    "BUILDING": "it is being built, which takes minutes: try again then",
    "NO_APP_FILE": "it has no app: its folder needs a Dockerfile",
    "CONFIG_ERROR": "its configuration is wrong: its owner has to mend its README's front matter",
    "BUILD_ERROR": "its build failed: its owner has to mend it",
    "RUNTIME_ERROR": "its server failed: its owner has to mend or restart it",
    "DELETING": "it is being deleted",
    "STOPPED": "it is stopped: its owner has to start it",
    "PAUSED": "its owner has paused it, and has to start it",
}
WAS = {"SLEEPING": "; it was asleep, and may need longer to wake", "APP_STARTING": "; its server was still starting"}
ELSEWHERE = "where='docker' or where='uv' may run it here"

DEFAULT_APP = "server.app:app"


class RunningSpace(RuntimeProvider):
    """The server that the Hub runs for a Space; it is not this machine's to stop.

    Args:
        repo_id: `openenv/echo_env`.
        token: as for `Hub`; it goes to the Hub, and to the Space itself where that is private.
    """

    def __init__(self, repo_id: str, token: str | None = None) -> None:
        self.repo_id = repo_id
        self._given_token = token
        self._space: Space | None = None
        self._headers: dict[str, str] = {}

    @property
    def headers(self) -> Mapping[str, str]:
        """See `RuntimeProvider.headers`: the token for a private Space, nothing for others."""
        return self._headers

    def start(self, port: int | None = None, env_vars: dict[str, str] | None = None, **options: Any) -> str:
        """Return the Space's address, as the Hub says it.

        Raises:
            LaunchError: there is no such Space, it does not run, or something was to be chosen that only the Space's owner can.
        """
        if port is not None or env_vars or options:
            raise LaunchError(f"{self.repo_id} runs on the Hub, where its owner has set its port and variables")
        hub = Hub(self._given_token)
        space = self._space = hub.space(self.repo_id)
        if space.stage is not None and space.stage not in REACHABLE:
            raise LaunchError(_why_not(space))
        self._headers = {"Authorization": f"Bearer {hub.token}"} if space.is_private and hub.token else {}
        return space.url

    def wait_for_ready(self, timeout_s: float | None = None) -> None:
        """See `RuntimeProvider.wait_for_ready`; None waits for two minutes, in which a sleeping Space wakes."""
        if self._space is None:
            raise LaunchError(f"the Space {self.repo_id} has not been looked up")
        limit = WAKING_TIMEOUT_S if timeout_s is None else timeout_s
        if not answers(self._space.url, limit, headers=self._headers, through_proxy=True):
            was = WAS.get(self._space.stage or "", "")
            raise LaunchError(f"the Space {self._space.repo_id} did not answer at {self._space.url} within {limit:g} s{was}")

    def stop(self) -> None:
        """Forget it; it goes on running."""
        self._space, self._headers = None, {}


class ClonedSpace(RuntimeProvider):
    """A Space's server on this machine, run by uv from the Space's files.

    The code is the Space's author's and runs with this user's rights: use it for Spaces that you trust.

    Args:
        repo_id: `openenv/echo_env`.
        token: as for `Hub`; it goes to the Hub alone.
        options: as for `UVProvider`; without `app` it is what the Space's `openenv.yaml` says.
    """

    def __init__(self, repo_id: str, token: str | None = None, **options: Any) -> None:
        self.repo_id = repo_id
        self._token = token
        self._options = options
        self._uv: UVProvider | None = None

    def start(self, port: int | None = None, env_vars: dict[str, str] | None = None, **options: Any) -> str:
        """Fetch the files and start the server; raises as `Hub.files` and `UVProvider.start` do."""
        if self._uv is not None:
            raise LaunchError(f"the Space {self.repo_id} is running here already")
        folder = Hub(self._token).files(self.repo_id)
        uv = UVProvider(**{"app": _app(folder), **self._options, "project_path": str(folder)})
        url = uv.start(port, env_vars, **options)
        self._uv = uv
        return url

    def wait_for_ready(self, timeout_s: float | None = None) -> None:
        """See `RuntimeProvider.wait_for_ready`."""
        if self._uv is None:
            raise LaunchError(f"the Space {self.repo_id} has not been started")
        self._uv.wait_for_ready(timeout_s)

    def stop(self) -> None:
        """See `RuntimeProvider.stop`; the files stay in the Hub's cache."""
        uv, self._uv = self._uv, None
        if uv is not None:
            uv.stop()

    def is_running(self) -> bool:
        """See `RuntimeProvider.is_running`."""
        uv = self._uv
        return uv is not None and uv.is_running()


def _why_not(space: Space) -> str:
    """Return the line that says why a Space cannot be played at."""
    why = WHY_NOT.get(space.stage or "", "that is no stage that can be played at")
    told = f" ({' '.join(space.error.split())[:200]})" if space.error else ""
    return f"the Space {space.repo_id} does not run, but is {space.stage}{told}: {why}; {ELSEWHERE}"


def _app(folder: Path) -> str:
    """Return what a folder's `openenv.yaml` says its app is."""
    manifest = folder / "openenv.yaml"
    try:
        read = yaml.safe_load(manifest.read_text()) if manifest.is_file() else None
    except yaml.YAMLError as error:
        raise LaunchError(f"{manifest} cannot be read: {error}") from error
    app = read.get("app") if isinstance(read, dict) else None
    return app if isinstance(app, str) else DEFAULT_APP
