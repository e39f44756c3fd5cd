"""What an import costs, and what it must not bring."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("fastapi", "starlette", "uvicorn", "typer", "numpy", "openenv.server")
LIMIT_S = 0.35


def run(code: str) -> str:
    return subprocess.check_output([sys.executable, "-c", code], text=True).strip()


@pytest.mark.parametrize("statement", ["import openenv", "from echo_env import EchoEnv"])
def test_a_client_is_light(statement: str) -> None:
    assert run(f"import sys; {statement}; print([m for m in {HEAVY!r} if m in sys.modules])") == "[]"
    timed = f"import time; start = time.perf_counter(); {statement}; print(time.perf_counter() - start)"
    fastest = min(float(run(timed)) for _ in range(5))
    assert fastest < LIMIT_S


def test_an_unused_transport_is_not_imported() -> None:
    code = "import sys, openenv; print([m for m in ('httpx', 'websockets', 'openenv.client.local') if m in sys.modules])"
    assert run(code) == "[]"
