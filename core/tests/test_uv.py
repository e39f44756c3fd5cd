"""A project's server is run by the real uv, says why it does not come up, and is surely gone afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import httpx
import pytest
from serving import wait_until

import echo_env
from echo_env import EchoAction, EchoEnv
from openenv.core.containers.runtime import UVProvider
from openenv.errors import LaunchError

ECHO = Path(echo_env.__file__).parents[2]
HERE = {"UV_PROJECT_ENVIRONMENT": sys.prefix, "UV_NO_SYNC": "1", "UV_OFFLINE": "1"}
"""Lets uv run a project with the packages of this test's own interpreter, and install nothing."""

pytestmark = pytest.mark.skipif(
    not (shutil.which("uv") or (Path(sys.executable).parent / "uv").exists()), reason="needs uv: pip install uv"
)


def provider(app: str = "echo_env.server.app:app", host: str = "127.0.0.1") -> UVProvider:
    return UVProvider(project_path=str(ECHO), app=app, host=host, env_vars=HERE)


def listens(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", trust_env=False).is_success
    except httpx.TransportError:
        return False


def test_it_plays_and_is_gone_with_the_client() -> None:
    uv = provider(host="0.0.0.0")
    with EchoEnv(provider=uv).sync() as env:
        env.reset()
        assert env.step(EchoAction(message="by uv")).observation.echoed_message == "by uv"
        url = uv.base_url
        assert url is not None
        assert url.startswith("http://127.0.0.1:")
        with pytest.raises(LaunchError, match="running already"):
            uv.start()
        other = uv.another()
        assert (uv.is_running(), other.is_running(), other.base_url) == (True, False, None)
    assert (uv.base_url, uv.is_running()) == (None, False)
    assert not listens(url)
    uv.stop()


def test_an_app_that_is_not_there_tells_its_last_words() -> None:
    with pytest.raises(LaunchError, match=r"ended with code 3 before it answered[\s\S]*no_such_app"):
        provider("no_such_app:app").another().start()


def test_what_it_cannot_do_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LaunchError, match="has no pyproject"):
        UVProvider(project_path=str(tmp_path))
    with pytest.raises(LaunchError, match="uv takes no cores"):
        provider().start(cores=3)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(LaunchError, match="pip install uv"):
        provider().start()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_it_ends_with_a_trainer_that_is_killed() -> None:
    trainer = f"""
        import time
        from openenv.launch.uv import UVProvider
        uv = UVProvider(project_path={str(ECHO)!r}, app="echo_env.server.app:app", env_vars={HERE!r})
        print(uv.start(), flush=True)
        time.sleep(600)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(trainer)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert listens(url)
        os.kill(process.pid, signal.SIGKILL)
    wait_until(lambda: not listens(url), timeout_s=30.0)
