"""The endpoints of a Hub by which its Spaces and data sets are made and pushed to, as the real client calls them."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hub_stand_in import TOKEN, StandIn
from serving import running
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

ME = "me"
READ_ONLY = "hf_of_a_reader"
LFS_SUFFIX = ".bin"


@dataclass
class Space:
    """One Space, or a data set: what a reader sees, and what only its owner does."""

    read: StandIn
    hardware: str | None = None
    variables: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    commits: list[str] = field(default_factory=list)
    pull_requests: list[dict[str, bytes]] = field(default_factory=list)

    def files(self) -> dict[str, bytes]:
        return {name: (self.read.folder / name).read_bytes() for name in self.read.names()}


@dataclass
class WritableHub:
    """A Hub on which `TOKEN` is of the user `me`, who may write under that name alone.

    Attributes:
        folder: where it keeps files.
        spaces, datasets: by name.
        requests: method and path of each request that came.
        broken: a path's end, and the status that is answered there instead.
    """

    folder: Path
    url: str = ""
    spaces: dict[str, Space] = field(default_factory=dict)
    datasets: dict[str, Space] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    broken: dict[str, int] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)

    def app(self) -> Starlette:
        routes: list[tuple[str, str, Callable[[Request], Awaitable[Response]]]] = [
            ("GET", "/api/whoami-v2", self.whoami),
            ("POST", "/api/repos/create", self.create),
            ("POST", "/api/validate-yaml", self.validate),
            ("PUT", "/blobs/{oid}", self.blob),
        ]
        for kind in ("spaces", "datasets"):
            api, repo = f"/api/{kind}/{{owner}}/{{name}}", f"/{kind}/{{owner}}/{{name}}"
            routes += [
                ("GET", api, self.reading(StandIn.info)),
                ("GET", f"{api}/revision/{{revision}}", self.reading(StandIn.info)),
                ("GET", f"{api}/tree/{{revision}}", self.reading(StandIn.tree)),
                ("GET", f"{repo}/resolve/{{revision}}/{{path:path}}", self.reading(StandIn.file)),
                ("PUT", f"{api}/settings", self.writing(self.settings)),
                ("POST", f"{api}/variables", self.writing(self.variable)),
                ("POST", f"{api}/secrets", self.writing(self.secret)),
                ("POST", f"{api}/hardware", self.writing(self.hardware)),
                ("POST", f"{api}/preupload/{{revision}}", self.writing(self.preupload)),
                ("POST", f"{api}/commit/{{revision}}", self.writing(self.commit)),
                ("POST", f"{repo}.git/info/lfs/objects/batch", self.batch),
            ]
        return Starlette(routes=[Route(path, self.noted(call), methods=[method]) for method, path, call in routes])

    def space(self, repo_id: str, sdk: str = "docker", files: dict[str, bytes] | None = None) -> Space:
        """Put a Space there."""
        return self._put(self.spaces, "spaces", repo_id, sdk, files or {})

    def dataset(self, repo_id: str, files: dict[str, bytes] | None = None) -> Space:
        """Put a data set there."""
        return self._put(self.datasets, "datasets", repo_id, "", files or {})

    def _put(self, there: dict[str, Space], kind: str, repo_id: str, sdk: str, files: dict[str, bytes]) -> Space:
        folder = self.folder / kind / repo_id
        folder.mkdir(parents=True)
        there[repo_id] = Space(StandIn(folder, repo_id=repo_id, sdk=sdk))
        for name, content in files.items():
            (folder / name).write_bytes(content)
        return there[repo_id]

    def noted(self, call: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """Note each request, and answer it as broken where it is to be."""

        async def answer(request: Request) -> Response:
            self.requests.append((request.method, request.url.path))
            status = next((status for end, status in self.broken.items() if request.url.path.endswith(end)), None)
            if status is None:
                return await call(request)
            return JSONResponse(
                {"error": "out of order"}, status, headers={"X-Error-Code": "RepoNotFound"} if status == 404 else {}
            )

        return answer

    def reading(self, call: Callable[[StandIn, Request], Response]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            space = self.of(request)
            if space is None:
                return JSONResponse({"error": "not found"}, 404, headers={"X-Error-Code": "RepoNotFound"})
            return call(space.read, request)

        return answer

    def writing(self, call: Callable[[Space, Request], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
        """Let the owner of a Space change it."""

        async def answer(request: Request) -> Response:
            space = self.of(request)
            if space is None:
                return JSONResponse({"error": "not found"}, 404, headers={"X-Error-Code": "RepoNotFound"})
            if not self.may_write(request, request.path_params["owner"]):
                return JSONResponse({"error": "forbidden"}, 403)
            return JSONResponse(await call(space, request))

        return answer

    def of(self, request: Request) -> Space | None:
        there = self.datasets if "/datasets/" in request.url.path else self.spaces
        return there.get(f"{request.path_params['owner']}/{request.path_params['name']}")

    def may_write(self, request: Request, owner: str) -> bool:
        return request.headers.get("authorization") == f"Bearer {TOKEN}" and owner == ME

    async def whoami(self, request: Request) -> Response:
        if request.headers.get("authorization") not in (f"Bearer {TOKEN}", f"Bearer {READ_ONLY}"):
            return JSONResponse({"error": "Invalid credentials in Authorization header"}, 401)
        return JSONResponse({"type": "user", "name": ME, "orgs": []})

    async def create(self, request: Request) -> Response:
        wanted = await request.json()
        owner, name = wanted.get("organization") or ME, wanted["name"]
        if not self.may_write(request, owner):
            return JSONResponse({"error": f"You don't have the rights to create a space under {owner}"}, 403)
        kind, repo_id, attributes = f"{wanted['type']}s", f"{owner}/{name}", {".gitattributes": b"*.bin filter=lfs\n"}
        if repo_id in (self.datasets if kind == "datasets" else self.spaces):
            return JSONResponse({"error": f"You already created this {wanted['type']} repo"}, 409)
        made = self.dataset(repo_id, attributes) if kind == "datasets" else self.space(repo_id, wanted["sdk"], attributes)
        made.read.is_private = wanted.get("visibility") == "private" or wanted.get("private", False)
        return JSONResponse({"url": f"{self.url}/{kind}/{repo_id}"})

    async def validate(self, request: Request) -> Response:
        content = (await request.json())["content"]
        if "colorFrom: mauve" in content:
            return JSONResponse({"errors": [{"message": '"colorFrom" must be one of [red, yellow, …]'}], "warnings": []}, 400)
        return JSONResponse({"errors": [], "warnings": []})

    async def settings(self, space: Space, request: Request) -> Any:
        wanted = await request.json()
        space.read.is_private = wanted.get("visibility") == "private" or wanted.get("private", False)
        return {}

    async def variable(self, space: Space, request: Request) -> Any:
        wanted = await request.json()
        space.variables[wanted["key"]] = wanted["value"]
        return {name: {"key": name, "value": value} for name, value in space.variables.items()}

    async def secret(self, space: Space, request: Request) -> Any:
        wanted = await request.json()
        space.secrets[wanted["key"]] = wanted["value"]
        return {}

    async def hardware(self, space: Space, request: Request) -> Any:
        space.hardware = (await request.json())["flavor"]
        return {"stage": "BUILDING", "hardware": {"current": None, "requested": space.hardware}}

    async def preupload(self, space: Space, request: Request) -> Any:
        files = [file["path"] for file in (await request.json())["files"]]
        return {
            "files": [
                {"path": path, "uploadMode": "lfs" if path.endswith(LFS_SUFFIX) else "regular", "shouldIgnore": False}
                for path in files
            ]
        }

    async def batch(self, request: Request) -> Response:
        objects = (await request.json())["objects"]
        for wanted in objects:
            wanted["actions"] = {"upload": {"href": f"{self.url}/blobs/{wanted['oid']}"}}
        return JSONResponse({"transfer": "basic", "objects": objects})

    async def blob(self, request: Request) -> Response:
        content = await request.body()
        if hashlib.sha256(content).hexdigest() != request.path_params["oid"]:
            return JSONResponse({"error": "not what was announced"}, 400)
        self.blobs[request.path_params["oid"]] = content
        return Response()

    async def commit(self, space: Space, request: Request) -> Any:
        lines = [json.loads(line) for line in (await request.body()).splitlines()]
        added: dict[str, bytes] = {}
        gone: list[str] = []
        for key, value in ((line["key"], line["value"]) for line in lines):
            match key:
                case "file":
                    added[value["path"]] = base64.b64decode(value["content"])
                case "lfsFile":
                    added[value["path"]] = self.blobs[value["oid"]]
                case "deletedFile":
                    gone.append(value["path"])
        sha = hashlib.sha1(repr((space.read.sha, sorted(added.items()), gone)).encode()).hexdigest()
        kind = request.url.path.split("/")[2]
        told = {"success": True, "commitUrl": f"{self.url}/{kind}/{space.read.repo_id}/commit/{sha}", "commitOid": sha}
        if "create_pr" in request.query_params:
            space.pull_requests.append(added)
            number = len(space.pull_requests)
            return {**told, "pullRequestUrl": f"{self.url}/spaces/{space.read.repo_id}/discussions/{number}"}
        for path in gone:
            (space.read.folder / path).unlink()
        for path, content in added.items():
            (space.read.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (space.read.folder / path).write_bytes(content)
        space.read.sha = sha
        space.commits.append(lines[0]["value"]["summary"])
        return told


@contextmanager
def logged_in_hub(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WritableHub]:
    """Yield a Hub with nothing on it, to which this process and the commands that it starts are logged in as `me`."""
    hub = WritableHub(folder / "hub")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(folder / "token"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(folder / "cache"))
    monkeypatch.setenv("HF_HOME", str(folder / "home"))
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with running(hub.app()) as url:
        hub.url = url
        monkeypatch.setenv("HF_ENDPOINT", url)
        yield hub
