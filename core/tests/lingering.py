"""An app whose environment takes its time and writes down what happens to it, for tests of stopping."""

import os
import time
from pathlib import Path

from counting import Count, CountState, Total

from openenv import Environment
from openenv.server import create_app

DIARY = Path(os.environ.get("DIARY", os.devnull))


def note(what: str) -> None:
    with DIARY.open("a") as diary:
        diary.write(f"{what}\n")


class Lingering(Environment[Count, Total, CountState]):
    """Sleeps in a step, and tells when it is closed."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def reset(self, seed: int | None = None, episode_id: str | None = None) -> Total:
        return Total(label="start")

    def step(self, action: Count, timeout_s: float | None = None) -> Total:
        note("step")
        time.sleep(action.sleep_s)
        return Total(total=action.amount, reward=1.0)

    @property
    def state(self) -> CountState:
        return CountState()

    def close(self) -> None:
        note("closed")


app = create_app(Lingering)
