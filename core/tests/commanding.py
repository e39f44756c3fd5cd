"""The command `openenv` as a process, and environments' folders for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

COMMAND = [sys.executable, "-m", "openenv.cli"]
ENVS = Path(__file__).parents[2] / "envs"
ENVIRONMENT = """
from openenv import Action, Environment, Observation, State
from openenv.server import create_app

class Say(Action):
    word: str

class Heard(Observation):
    heard: str = ""

class Parrot(Environment[Say, Heard, State]):
    \"\"\"Says each word again.\"\"\"

    SUPPORTS_CONCURRENT_SESSIONS = True
    REWARD_RANGE = (0.0, 0.0)

    def __init__(self):
        super().__init__()
        self._state = State()

    def reset(self, seed=None, episode_id=None):
        self._state = State(episode_id=episode_id)
        return Heard()

    def step(self, action):
        self._state.step_count += 1
        return Heard(heard=action.word, reward=0.0)

    @property
    def state(self):
        return self._state

app = create_app(Parrot, env_name="parrot")
"""


def surroundings(*paths: Path) -> dict[str, str]:
    """Return the environment variables of a command that finds modules in these folders too."""
    path = [*map(str, paths), str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path), "NO_COLOR": "1", "COLUMNS": "140", "PYTHONUNBUFFERED": "1"}


def run(*arguments: str, stdin: str = "", cwd: Path | None = None, timeout_s: float = 100) -> subprocess.CompletedProcess[str]:
    """Run `openenv` to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=timeout_s,
        env=surroundings(*filter(None, [cwd])),
    )


@contextmanager
def started(*arguments: str, cwd: Path | None = None) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start `openenv serve` on a free port, and yield it with the URL that it prints."""
    process = subprocess.Popen(
        [*COMMAND, "serve", *arguments, "--port", "0"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env=surroundings(*filter(None, [cwd])),
    )
    assert process.stdout is not None
    try:
        yield process, (process.stdout.readline().split() or [""])[-1]
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            stream.close()


def flat_folder(at: Path) -> Path:
    """Write an environment's folder whose package is the folder itself."""
    (at / "server").mkdir(parents=True)
    (at / "server" / "app.py").write_text(ENVIRONMENT)
    (at / "openenv.yaml").write_text(
        "spec_version: 1\nname: parrot\ntype: space\nruntime: fastapi\napp: server.app:app\nport: 8000\n"
    )
    return at
