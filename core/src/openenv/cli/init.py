"""`openenv init my_game`: begin an environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..hub.scaffold import TEMPLATES, scaffold


def init(
    name: Annotated[str, typer.Argument(help="What the environment is called: my_game, my-game, MyGame or 'my game'")],
    output_dir: Annotated[Path, typer.Option("--output-dir", "-o", help="The folder to write into")] = Path(),
    template: Annotated[str, typer.Option(help=f"What to begin with: {', '.join(TEMPLATES)}")] = TEMPLATES[0],
) -> None:
    """Write a complete environment, which runs and passes its tests, for you to change. Overwrites nothing."""
    folder = scaffold(name, output_dir, template)
    typer.echo(f"{folder} is an environment that runs. Next:")
    typer.echo(f'  cd "{folder}"')
    typer.echo('  pip install -e ".[server]" --group test')
    typer.echo("  pytest")
    typer.echo("  openenv validate")
    typer.echo("  openenv serve --reload")
