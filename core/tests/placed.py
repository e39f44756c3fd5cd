"""An app whose environment says in which process it lives, for tests of several worker processes."""

import os
import time
from pathlib import Path

from starlette.responses import JSONResponse

from openenv import Action, EnvClient, Environment, Observation, State
from openenv.server import create_app

DIARY = Path(os.environ.get("DIARY", os.devnull))


class Stay(Action):
    """Sleep."""

    sleep_s: float = 0.0


class Place(Observation):
    """The process, and how many steps were done."""

    pid: int = 0
    steps: int = 0


class Placed(Environment[Stay, Place, State]):
    """Counts steps; writes down when a step begins and when it is closed, with the process."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self) -> None:
        super().__init__()
        self._state = State()

    def reset(self, seed: int | None = None, episode_id: str | None = None) -> Place:
        self._state = State(episode_id=episode_id)
        return Place(pid=os.getpid())

    def step(self, action: Stay, timeout_s: float | None = None) -> Place:
        note("step")
        time.sleep(action.sleep_s)
        self._state.step_count += 1
        return Place(pid=os.getpid(), steps=self._state.step_count)

    @property
    def state(self) -> State:
        return self._state

    def close(self) -> None:
        note("closed")


class PlacedEnv(EnvClient[Stay, Place, State]):
    """Plays `Placed`."""


def note(what: str) -> None:
    with DIARY.open("a") as diary:
        diary.write(f"{what}:{os.getpid()}\n")


async def counts() -> JSONResponse:
    registry = app.state.registry
    return JSONResponse({"taken": registry.slots_taken, "awaited": registry.slots_awaited, "capacity": registry.capacity})


app = create_app(Placed)
app.add_api_route("/counts", counts)
