"""`openenv serve`: run an environment's server."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from enum import StrEnum
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from ..contract.mode import ServerMode
from ..errors import UsageError


class Isolation(StrEnum):
    """What keeps the environments of a server apart."""

    INLINE = "inline"
    THREAD = "thread"
    PROCESS = "process"


class LogLevel(StrEnum):
    """What a server logs."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def serve(
    target: Annotated[
        str, typer.Argument(metavar="[PATH|NAME|MODULE:CLASS|MODULE:APP]", help="What to serve.", show_default="this folder")
    ] = ".",
    host: Annotated[str, typer.Option(help="Address to listen at; 0.0.0.0 for every interface.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", "-p", min=0, max=65535, help="0 takes a free one.")] = 8000,
    reload: Annotated[bool, typer.Option("--reload", help="Start again whenever a Python file changes.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes that share the port.", show_default="1")] = None,
    isolation: Annotated[Isolation | None, typer.Option(help="What keeps environments apart, unless the app says.")] = None,
    max_sessions: Annotated[int | None, typer.Option(min=1, help="Sessions at once, unless the app says.")] = None,
    mode: Annotated[ServerMode | None, typer.Option(help="production serves tools only, unless the app says.")] = None,
    log_level: Annotated[LogLevel, typer.Option(help="What is logged.")] = LogLevel.WARNING,
) -> None:
    """Serve an environment until Ctrl-C; calls in flight are finished first."""
    from ..server.naming import name_of
    from ..server.reloading import serve_reloading
    from ..server.run import serve as run

    if reload and (workers or 1) > 1:
        raise UsageError("--reload runs one process: leave --workers out")
    for setting, value in (("ISOLATION", isolation), ("MAX_CONCURRENT_ENVS", max_sessions), ("MODE", mode)):
        if value is not None:
            os.environ[f"OPENENV_{setting}"] = str(value)
    if ":" in target:
        sys.path.insert(0, str(Path.cwd()))  # as `python -m` does
    app = name_of(target)
    greet = partial(_greet, app, mode)
    if reload:
        serve_reloading(app, [_code_of(target, app)], host, port, log_level=log_level.value, on_listening=greet)
    else:
        run(app, host, port, log_level=log_level.value, workers=workers, on_listening=greet)


def _code_of(target: str, app: str) -> Path:
    """Return the folder whose files are watched: the environment's own, or its package's."""
    if Path(target).is_dir():
        return Path(target)
    top = app.partition(":")[0].partition(".")[0]
    found = find_spec(top)
    if found is None or found.origin is None:
        raise UsageError(f"cannot import {top}: no such module here")
    return Path(found.origin).parent


def _greet(app: str, mode: ServerMode | None, url: str) -> None:
    """Print where the server is and how it is used."""
    from ..launch.process import LISTENING

    here = url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
    package, client = _client(app, mode)
    lines = (
        f"{LISTENING}{url}",
        f"docs:    {here}/docs",
        "",
        f"from {package} import {client}",
        f'with {client}(base_url="{here}").sync() as env:',
        f"    print(env.{'list_tools()' if client == 'MCPToolClient' else 'reset().observation'})",
    )
    print("\n".join(lines), flush=True)


def _client(app: str, mode: ServerMode | None) -> tuple[str, str]:
    """Return where a client of this app is imported from and its name: the environment's own where it has one."""
    from ..client.base import EnvClient

    if mode is ServerMode.PRODUCTION:
        return "openenv.client.tools", "MCPToolClient"
    package = app.partition(":")[0].partition(".")[0]
    with contextlib.suppress(Exception):  # what is wrong with it, the server says
        for name, value in vars(importlib.import_module(package)).items():
            if isinstance(value, type) and issubclass(value, EnvClient) and value.__module__.startswith(f"{package}."):
                return package, name
    return "openenv", "GenericEnvClient"
