"""`openenv list`: the environments that are installed."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ..hub.installed import installed_environments


def list_environments(
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """List the installed environments: the name that `serve`, `play` and `AutoEnv` know, the version, and what it is."""
    found = installed_environments()
    if as_json:
        typer.echo(json.dumps([asdict(environment) for environment in found]))
        return
    if not found:
        typer.echo("no environment is installed: pip install openenv-echo-env, or openenv init my_game")
        return
    table = Table(box=None, pad_edge=False)
    for title in ("name", "version", "distribution", "what it is"):
        table.add_column(title, overflow="fold")
    for environment in found:
        table.add_row(environment.name, environment.version, environment.distribution, environment.description)
    Console().print(table)
