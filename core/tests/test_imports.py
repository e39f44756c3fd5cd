"""What an import must not bring."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("fastapi", "starlette", "uvicorn", "typer", "numpy", "httpx", "websockets", "openenv.server", "openenv.client.local")


@pytest.mark.parametrize("statement", ["import openenv", "from echo_env import EchoEnv"])
def test_a_client_is_light(statement: str) -> None:
    code = f"import sys; {statement}; print([m for m in {HEAVY!r} if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
