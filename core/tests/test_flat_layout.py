"""Environments whose package is the folder itself, as written for the published package: served in place, and installed."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from openenv import GenericEnvClient

MODELS = """
from openenv.core.env_server.types import Action, Observation, State

class GuessAction(Action):
    number: int

class GuessObservation(Observation):
    hint: str = ""
"""
CLIENT = """
from openenv.core.client_types import StepResult
from openenv.core.env_client import EnvClient
from openenv.core.env_server.types import State

from .models import GuessAction, GuessObservation

class GuessEnv(EnvClient[GuessAction, GuessObservation, State]):
    def _step_payload(self, action):
        return {"number": action.number}

    def _parse_result(self, payload):
        observation = GuessObservation(**payload["observation"], reward=payload.get("reward"), done=payload.get("done", False))
        return StepResult(observation=observation, reward=payload.get("reward"), done=payload.get("done", False))

    def _parse_state(self, payload):
        return State(**payload)
"""
ENVIRONMENT = """
from openenv.core.env_server.interfaces import Environment
from openenv.core.env_server.types import State

{models} import GuessAction, GuessObservation

class GuessEnvironment(Environment):
    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self):
        super().__init__()
        self._state = State(step_count=0)

    def reset(self, seed=None, episode_id=None, **kwargs):
        self._state = State(episode_id=episode_id, step_count=0)
        return GuessObservation(hint="guess", done=False, reward=0.0)

    def step(self, action, timeout_s=None, **kwargs):
        self._state.step_count += 1
        right = action.number == 7
        return GuessObservation(hint="right" if right else "wrong", done=right, reward=1.0 if right else 0.0)

    @property
    def state(self):
        return self._state
"""
APP = """
from openenv.core.env_server.http_server import create_app

{environment} import GuessEnvironment
{models} import GuessAction, GuessObservation

app = create_app(GuessEnvironment, GuessAction, GuessObservation, env_name="guess_env", max_concurrent_envs=4)

def main():
    import uvicorn

    uvicorn.run(app, host="0.0.0.0", port=8000)
"""
MANIFEST = """
spec_version: 1
name: guess_env
type: space
runtime: fastapi
app: server.app:app
port: 8000
"""
PROJECT = """
[build-system]
requires = ["setuptools>=45", "wheel"]
build-backend = "setuptools.build_meta"

[project]
name = "openenv-guess-env"
version = "0.1.0"
dependencies = ["openenv-core[core]>=0.2.0"]

[project.scripts]
server = "guess_env.server.app:main"

[tool.setuptools]
packages = ["guess_env", "guess_env.server"]
package-dir = { "guess_env" = ".", "guess_env.server" = "server" }
"""
STYLES = {
    "relative": {"models": "from ..models", "environment": "from .environment"},
    "bare": {"models": "from models", "environment": "from server.environment"},
    "by name": {"models": "from guess_env.models", "environment": "from guess_env.server.environment"},
}


def folder(at: Path, style: str) -> Path:
    """Write an environment's folder."""
    files = {
        "__init__.py": "from .client import GuessEnv\nfrom .models import GuessAction, GuessObservation\n",
        "models.py": MODELS,
        "client.py": CLIENT,
        "server/__init__.py": "",
        "server/environment.py": ENVIRONMENT.format(**STYLES[style]),
        "server/app.py": APP.format(**STYLES[style]),
        "openenv.yaml": MANIFEST,
        "pyproject.toml": PROJECT,
    }
    for name, content in files.items():
        (at / name).parent.mkdir(parents=True, exist_ok=True)
        (at / name).write_text(content)
    return at


def play(app: str, **env_vars: str) -> None:
    with GenericEnvClient.from_process(app, env_vars=env_vars) as env:
        client = env.sync()
        assert client.reset(seed=1, episode_id="e").observation["hint"] == "guess"
        assert client.step({"number": 3}).reward == 0.0
        last = client.step({"number": 7})
        assert (last.reward, last.done, last.observation["hint"]) == (1.0, True, "right")
        assert client.state()["step_count"] == 2


@pytest.mark.parametrize("style", list(STYLES))
@pytest.mark.parametrize("name", ["guess_env", "my-space"])
def test_a_flat_folder_is_served_in_place(style: str, name: str, tmp_path: Path) -> None:
    play(str(folder(tmp_path / name, style)))


@pytest.mark.parametrize("style", ["relative", "bare"])
@pytest.mark.skipif(sys.platform == "win32", reason="worker processes are POSIX only")
def test_its_other_processes_find_its_modules(style: str, tmp_path: Path) -> None:
    at = str(folder(tmp_path / "my-space", style))
    play(at, OPENENV_ISOLATION="process", OPENENV_PROCESS_START="spawn")
    play(at, OPENENV_WORKERS="2")


def test_a_folder_of_the_other_layout_is_served_too() -> None:
    echo = Path(__file__).parents[2] / "envs" / "echo"
    with GenericEnvClient.from_process(str(echo)) as env:
        env.sync().reset()
        assert env.sync().step({"message": "hi"}).observation["echoed_message"] == "hi"


def test_a_manifest_without_an_app_is_explained(tmp_path: Path) -> None:
    (tmp_path / "openenv.yaml").write_text("name: guess_env\n")
    done = subprocess.run([sys.executable, "-m", "openenv.server", str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("openenv: ")
    assert "app: server.app:app" in done.stderr


@pytest.mark.skipif(find_spec("setuptools") is None or find_spec("wheel") is None, reason="builds with setuptools")
def test_a_flat_package_is_installed_and_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    source = folder(tmp_path / "guess_env", "relative")
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--no-build-isolation", "--target"]
    subprocess.run([*command, str(site), str(source)], check=True, capture_output=True, text=True, timeout=100)
    program = (
        "from guess_env import GuessAction, GuessEnv\n"
        "with GuessEnv.from_process('guess_env.server.app:app') as env:\n"
        "    env.reset()\n"
        "    result = env.step(GuessAction(number=7))\n"
        "    print(type(result.observation).__name__, result.reward, result.done, env.state().step_count)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(site) + ":" + ":".join(sys.path))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path / "site", timeout=60)
    assert done.stdout.split() == ["GuessObservation", "1.0", "True", "1"], done.stderr
