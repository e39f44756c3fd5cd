"""A server of the published protocol that passes each message on to its environment and keeps no rule by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from blocking_server import blocking_server
from pydantic import ValidationError
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection

from openenv import Observation
from openenv.sessions.spec import environment_spec


@contextmanager
def passing_on(environment: type) -> Iterator[str]:
    """Serve an environment class on a free port, one instance a socket; yields the base URL."""
    spec = environment_spec(environment)
    pages = {
        "/schema": {"action": spec.action.model_json_schema(), "observation": spec.observation.model_json_schema()},
        "/metadata": spec.metadata().model_dump(),
    }

    def page(connection: ServerConnection, request: Request) -> Response | None:
        if request.path not in pages:
            return None
        content = json.dumps(pages[request.path]).encode()
        return Response(200, "OK", Headers({"Content-Type": "application/json"}), content)

    def play(socket: ServerConnection) -> None:
        own: Any = spec.build()
        for frame in socket:
            message = json.loads(frame)
            try:
                kind, data = _answered(own, spec.action, message["type"], message.get("data") or {})
            except ValidationError as error:
                kind, data = "error", {"message": str(error), "code": "VALIDATION_ERROR"}
            except (RuntimeError, ValueError) as error:
                kind, data = "error", {"message": str(error), "code": "EXECUTION_ERROR"}
            socket.send(json.dumps({"type": kind, "data": data}))

    with blocking_server(play, process_request=page) as url:
        yield url


def _answered(environment: Any, action: Any, kind: str, data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if kind == "state":
        return "state", environment.state.model_dump()
    observation: Observation = environment.reset(**data) if kind == "reset" else environment.step(action.model_validate(data))
    fields = observation.model_dump(exclude={"reward", "done", "terminated", "truncated"})
    return "observation", {"observation": fields, "reward": observation.reward, "done": observation.done}
