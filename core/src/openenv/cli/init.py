"""`openenv init my_game`: begin an environment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from ..errors import UsageError
from ..hub.scaffold import TEMPLATES, scaffold

GAME = next(iter(TEMPLATES))


def init(
    name: Annotated[str, typer.Argument(help="What the environment is called: my_game, my-game, MyGame or 'my game'.")],
    output_dir: Annotated[Path, typer.Option("--output-dir", "-o", help="The folder to write into.")] = Path(),
    template: Annotated[
        str | None, typer.Option(help=f"What to begin with: {', '.join(TEMPLATES)}.", show_default=GAME)
    ] = None,
    from_gymnasium: Annotated[
        str | None, typer.Option(metavar="ID", help="Wrap this environment of Gymnasium: CartPole-v1, or module:Env-v0.")
    ] = None,
    env_kwargs: Annotated[
        str | None, typer.Option(metavar="JSON", help="What Gymnasium makes it with: '{\"is_slippery\": false}'.")
    ] = None,
) -> None:
    """Write a complete environment, which runs and passes its tests, for you to change. Overwrites nothing."""
    if from_gymnasium is None:
        if env_kwargs is not None:
            raise UsageError("--env-kwargs are for an environment of Gymnasium: name it by --from-gymnasium")
        folder = scaffold(name, output_dir, template or GAME)
    elif template is not None:
        raise UsageError("--from-gymnasium has a template of its own: leave --template out")
    else:
        folder = _from_gymnasium(name, output_dir, from_gymnasium, _object(env_kwargs))
    typer.echo(f"{folder} is an environment that runs. Next:")
    typer.echo(f'  cd "{folder}"')
    typer.echo('  pip install -e ".[server]" --group test')
    typer.echo("  pytest")
    typer.echo("  openenv validate")
    typer.echo("  openenv serve --reload")


def _from_gymnasium(name: str, parent: Path, env_id: str, arguments: dict[str, Any]) -> Path:
    """Write a folder around Gymnasium's environment, and pass on what there is to know of it."""
    from ..adapters.gymnasium_folder import gymnasium_folder

    with Console(stderr=True).status(f"making and playing {env_id}"):
        folder, facts = gymnasium_folder(name, parent, env_id, arguments)
    for note in facts.notes:
        typer.echo(f"openenv: Gymnasium says: {note}", err=True)
    for module in facts.of_nobody:
        told = f"no installed distribution brings {module}: add what does to `server` in {folder / 'pyproject.toml'}"
        typer.echo(f"openenv: {told}", err=True)
    return folder


def _object(text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except ValueError as error:
        raise UsageError(f"--env-kwargs is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise UsageError("--env-kwargs is an object of names and values, such as '{\"is_slippery\": false}'")
    return value
