"""An app whose tools say in which process they ran and how often, for tests of several worker processes."""

import os
import time

from placed import note

from openenv import Observation, State
from openenv.contract.models import EnvironmentMetadata
from openenv.contract.tools import CallToolAction
from openenv.mcp import MCPEnvironment
from openenv.server import create_app


class Workshop(MCPEnvironment[CallToolAction, Observation, State]):
    """Counts, and offers what it counted as tasks."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self) -> None:
        super().__init__([self.count, self.nap])
        self._counted = 0

    def count(self) -> dict[str, int]:
        """Count one further."""
        self._counted += 1
        return {"count": self._counted, "pid": os.getpid()}

    def nap(self, seconds: float) -> str:
        """Block."""
        note("nap")
        time.sleep(seconds)
        return "rested"

    def list_splits(self) -> list[str]:
        return ["train"]

    def num_tasks(self, split: str) -> int:
        return self._counted

    def get_metadata(self) -> EnvironmentMetadata:
        return EnvironmentMetadata(name="Workshop", description=f"{os.getpid()}")

    def reset(self, seed: int | None = None, episode_id: str | None = None) -> Observation:
        self._counted = 0
        return Observation()

    @property
    def state(self) -> State:
        return State()


app = create_app(Workshop, max_concurrent_envs=16)
