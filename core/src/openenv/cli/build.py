"""`openenv build`: build an environment's container image."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..hub.environment_folder import environment_folder
from ..hub.image import PASSED_ON, Image, build_image
from .assignments import assignments
from .progress import progress
from .static_findings import refuse_broken


def build(
    path: Annotated[Path, typer.Argument(help="The environment's folder.", show_default="this folder")] = Path(),
    tag: Annotated[
        str | None,
        typer.Option("--tag", "-t", help="The image's name.", show_default="NAME-env:latest, NAME as in openenv.yaml"),
    ] = None,
    context: Annotated[
        Path | None,
        typer.Option("--context", "-c", help="What the Dockerfile copies from.", show_default="the environment's folder"),
    ] = None,
    dockerfile: Annotated[
        Path | None,
        typer.Option("--dockerfile", "-f", help="The Dockerfile.", show_default="Dockerfile, else server/Dockerfile"),
    ] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Build every layer anew.")] = False,
    build_arg: Annotated[
        list[str] | None,
        typer.Option(
            metavar="K=V",
            help="A value for the Dockerfile's ARG; may be repeated. K alone takes the environment variable.",
            show_default=f"{', '.join(PASSED_ON)} where they are set",
        ),
    ] = None,
) -> None:
    """Build an environment's image by the docker command, from either layout, and tell how to play it."""
    given = assignments("--build-arg", build_arg or ())
    folder = environment_folder(path, dockerfile)
    refuse_broken(path)
    with progress(f"building {tag or folder.image}") as step:
        image = build_image(folder, tag, context=context, no_cache=no_cache, build_args=given, step=step)
    told(image)


def told(image: Image) -> None:
    """Print an image, its size, and what plays it."""
    typer.echo(f"built {image.name}: {image.size_bytes / 1e6:.0f} MB, {image.seconds:.0f} s")
    typer.echo(f"play it with openenv play {image.name}, or:")
    typer.echo()
    typer.echo("from openenv import GenericEnvClient")
    typer.echo(f'with GenericEnvClient.from_docker_image("{image.name}").sync() as env:')
    typer.echo("    print(env.reset().observation)")
