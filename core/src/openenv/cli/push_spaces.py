"""Pushing an environment's folder to Spaces of the Hub."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from ..hub.publication import Publication
from ..hub.publishing import PublishedSpace, SpacePush
from ..hub.space_folder import SpaceFolder
from .progress import progress


def push_spaces(space: SpaceFolder, wanted: Sequence[Publication], dry_run: bool) -> None:
    """Push the same files to each Space that is wanted; a dry run lists each file and each call instead."""
    pushes = [SpacePush(space, one) for one in wanted]
    for kept in space.secret:
        typer.echo(f"not pushed, for such files hold secrets: {kept} (--secret K=V gives the Space what it needs)", err=True)
    if dry_run:
        _list(space, pushes)
        return
    for push in pushes:
        with progress("asking the Hub") as begins:
            done = push.run(begins=begins)
        _tell(done)


def _list(space: SpaceFolder, pushes: Sequence[SpacePush]) -> None:
    for file in space.files:
        typer.echo(f"would push: {file.path} ({file.size_bytes:,} bytes{f', {file.told}' if file.told else ''})")
    for push in pushes:
        for call in push.calls():
            typer.echo(f"would call: {call.told}")


def _tell(done: PublishedSpace) -> None:
    """Print where a Space is, and what plays it."""
    if done.pull_request is not None:
        typer.echo(f"opened {done.pull_request}")
        return
    typer.echo(f"pushed {done.repo_id}: {done.url}")
    typer.echo("The Hub builds it now. Then:")
    typer.echo()
    typer.echo("from openenv import AutoEnv")
    typer.echo(f'with AutoEnv.from_env("{done.repo_id}").sync() as env:')
    typer.echo("    print(env.reset().observation)")
