"""What a Gitea server answers to those who clone: the list of repositories, and git over HTTP, by `git http-backend`."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

USER, PASSWORD = "ada", "secret: with spaces"
SIGNED_IN = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


def git(where: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    return subprocess.run(["git", *identity, *arguments], cwd=where, check=True, capture_output=True, text=True).stdout.strip()


class GitHost:
    """A folder with one bare repository, `demo`, and a copy of it to commit in."""

    def __init__(self, folder: Path) -> None:
        self.repositories = folder / "served"
        self.source = folder / "source"
        self.source.mkdir(parents=True)
        git(self.source, "init", "--quiet", "--initial-branch=main")
        for text in ("one", "two"):
            self.commit(text)
        git(self.source, "branch", "dev", "HEAD~1")
        git(folder, "clone", "--quiet", "--bare", str(self.source), str(self.repositories / USER / "demo.git"))

    def commit(self, text: str) -> str:
        """Commit a change and return the commit's name."""
        (self.source / "file.txt").write_text(text)
        git(self.source, "add", "file.txt")
        git(self.source, "commit", "--quiet", "--message", text)
        return git(self.source, "rev-parse", "HEAD")

    def push(self) -> None:
        git(self.source, "push", "--quiet", str(self.repositories / USER / "demo.git"), "main")

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Serve it on a free port of this machine; yields the URL."""
        host = self

        class Handler(_Handler):
            repositories = host.repositories

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_port}"
            finally:
                server.shutdown()
                thread.join()


class _Handler(BaseHTTPRequestHandler):
    repositories: Path

    def log_message(self, format: str, *arguments: Any) -> None:
        pass

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if path == "/":
            self._reply(200, {}, b"a page")
        elif self.headers.get("Authorization") != SIGNED_IN:
            self._reply(401, {"WWW-Authenticate": 'Basic realm="git"'}, b"")
        elif path == "/api/v1/user/repos":
            self._list(query)
        else:
            self._git(path, query, body)

    do_POST = do_GET

    def _list(self, query: str) -> None:
        """Answer with one repository a page."""
        name = "other" if query else "demo"
        found = {"name": name, "full_name": f"{USER}/{name}", "clone_url": f"/{name}.git", "description": None, "private": True}
        following = f'<http://{self.headers["Host"]}/api/v1/user/repos?page=2>; rel="next"'
        self._reply(200, {} if query else {"Link": following}, json.dumps([found]).encode())

    def _git(self, path: str, query: str, body: bytes) -> None:
        variables = {
            "GIT_PROJECT_ROOT": str(self.repositories),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(["git", "http-backend"], input=body, env={**os.environ, **variables}, capture_output=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self._reply(int(headers.pop("Status", "200").split()[0]), headers, content)

    def _reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
