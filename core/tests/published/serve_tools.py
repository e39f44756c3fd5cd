"""Run by the published package's python: its server, of an environment made of tools."""

import sys

import uvicorn
from fastmcp import FastMCP

from openenv.core.env_server import CallToolAction, CallToolObservation, MCPEnvironment, Observation, State, create_fastapi_app


class Kit(MCPEnvironment):
    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self):
        server = FastMCP("kit")

        @server.tool
        def add(a: int, b: int = 1) -> int:
            """Add two numbers."""
            return a + b

        @server.tool
        def count() -> dict:
            """Count one further."""
            self.counted += 1
            return {"count": self.counted}

        @server.tool
        def fail(why: str) -> str:
            """Raise."""
            raise RuntimeError(why)

        super().__init__(server)
        self.counted = 0

    def reset(self, seed=None, episode_id=None, **options):
        self.counted = 0
        return Observation()

    def _step_impl(self, action, timeout_s=None, **options):
        raise ValueError("no such action")

    @property
    def state(self):
        return State()


app = create_fastapi_app(Kit, CallToolAction, CallToolObservation, max_concurrent_envs=8)
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
