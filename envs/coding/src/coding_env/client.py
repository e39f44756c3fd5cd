"""The client of a coding server."""

from __future__ import annotations

from openenv import EnvClient

from .models import CodeAction, CodeObservation, CodeState


class CodingEnv(EnvClient[CodeAction, CodeObservation, CodeState]):
    """Runs Python code; what one step defines, the next ones of the episode find.

    `reset` takes `seed`, an `executor`, and a `task`: a `CodeTask`'s `model_dump()`, whose tests the agent never sees. Each
    holds for that episode.

        with CodingEnv(base_url="http://localhost:8000").sync() as env:
            env.reset()
            result = env.step(CodeAction(code="print(2 + 2)"))
            print(result.observation.stdout, result.observation.exit_code)
    """

    server = "coding_env.server.app:app"
