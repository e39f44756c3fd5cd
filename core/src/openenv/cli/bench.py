"""`openenv bench`: how fast a running server steps."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.util import find_spec
from typing import Annotated

import typer
from rich.console import Console

from ..client.address import address
from ..errors import ConnectError, MissingExtra


def bench(
    url: Annotated[str, typer.Argument(help="The running server, http://host:port.")],
    sessions: Annotated[int, typer.Option(min=1, help="Sessions at once, each one step after the other.")] = 1,
    seconds: Annotated[float, typer.Option(min=0.1, help="How long to step.")] = 5.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of lines.")] = False,
) -> None:
    """Put a short load of random actions on a server, and tell its steps a second and how long a step takes."""
    if find_spec("hypothesis") is None:
        raise MissingExtra("actions are drawn with Hypothesis: pip install 'openenv-core[testing]'")
    from ..testing.load import measure

    try:
        with Console(stderr=True).status(f"stepping for {seconds:g} s"):
            load = measure(address(url).http, sessions, seconds)
    except ConnectError as error:
        error.message += "; name a server that runs, http://host:port"
        raise
    if as_json:
        typer.echo(json.dumps(asdict(load)))
        return
    sessions_told = "1 session" if load.sessions == 1 else f"{load.sessions} sessions"
    typer.echo(f"{load.steps_per_s:,.0f} steps/s ({load.steps} steps, {sessions_told}, {load.seconds:.1f} s)")
    typer.echo(f"p50 {load.p50_ms:.2f} ms, p99 {load.p99_ms:.2f} ms")
    typer.echo(f"{load.resets} further episodes, {load.refused} actions refused")
