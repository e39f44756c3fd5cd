"""The endpoints of a Hub that answer for its Spaces, as the real client asks for them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

SHA = "5e" * 20
TOKEN = "hf_of_the_test"


@dataclass
class StandIn:
    """One Space, at its name and at a former one.

    Attributes:
        folder: its files.
        host: where it is served.
        is_private: whether only `TOKEN` may see it.
        stage: what the Hub says of its server.
        repo_id: its name.
        sha: of its newest commit.
        tokens: the `Authorization` of each request; None where it had none.
    """

    folder: Path
    host: str = "http://127.0.0.1:1"
    is_private: bool = False
    stage: str = "RUNNING"
    repo_id: str = "openenv/echo_env"
    sha: str = SHA
    tokens: list[str | None] = field(default_factory=list)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/api/spaces/openenv/former_name", self.moved),
                Route("/api/spaces/openenv/echo_env", self.info),
                Route("/api/spaces/openenv/echo_env/revision/{revision}", self.info),
                Route("/api/spaces/openenv/echo_env/tree/{revision}", self.tree),
                Route("/spaces/openenv/echo_env/resolve/{revision}/{path:path}", self.file),
                Route("/{path:path}", self.unknown),
            ]
        )

    def hidden(self, request: Request) -> Response | None:
        """Note who asks, and return the answer for those who may not see the Space."""
        self.tokens.append(request.headers.get("authorization"))
        return self.unknown(request) if self.is_private and self.tokens[-1] != f"Bearer {TOKEN}" else None

    def unknown(self, request: Request) -> Response:
        return JSONResponse({"error": "not found"}, 401, headers={"X-Error-Code": "RepoNotFound"})

    def moved(self, request: Request) -> Response:
        return RedirectResponse("/api/spaces/openenv/echo_env", 307)

    def files(self) -> list[Path]:
        return [path for path in sorted(self.folder.rglob("*")) if path.is_file() and "__pycache__" not in path.parts]

    def names(self) -> list[str]:
        return [path.relative_to(self.folder).as_posix() for path in self.files()]

    def info(self, request: Request) -> Response:
        told: dict[str, Any] = {
            "id": self.repo_id,
            "sha": self.sha,
            "private": self.is_private,
            "sdk": "docker",
            "subdomain": self.repo_id.replace("/", "-").replace("_", "-"),
            "host": self.host,
            "runtime": {"stage": self.stage, "hardware": {"current": "cpu-basic", "requested": "cpu-basic"}},
            "siblings": [{"rfilename": name} for name in self.names()],
        }
        return self.hidden(request) or JSONResponse(told)

    def tree(self, request: Request) -> Response:
        entries = [
            {"type": "file", "oid": hashlib.sha1(path.read_bytes()).hexdigest(), "size": path.stat().st_size, "path": name}
            for path, name in zip(self.files(), self.names(), strict=True)
        ]
        return self.hidden(request) or JSONResponse(entries)

    def file(self, request: Request) -> Response:
        content = (self.folder / request.path_params["path"]).read_bytes()
        headers = {"X-Repo-Commit": self.sha, "ETag": f'"{hashlib.sha1(content).hexdigest()}"'}
        return self.hidden(request) or Response(content, headers=headers)
