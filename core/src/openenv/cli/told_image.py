"""What is printed of an image that is done."""

from __future__ import annotations

import typer

from ..hub.image import Image
from ..hub.size import told_size


def tell_image(done: str, image: Image) -> None:
    """Print what was done with an image, its size, the time that building it took, and what plays it."""
    typer.echo(f"{done} {image.name}: {told_size(image.size_bytes)}, {image.seconds:.0f} s")
    typer.echo(f"play it with openenv play {image.name}, or:")
    typer.echo()
    typer.echo("from openenv import GenericEnvClient")
    typer.echo(f'with GenericEnvClient.from_docker_image("{image.name}").sync() as env:')
    typer.echo("    print(env.reset().observation)")
