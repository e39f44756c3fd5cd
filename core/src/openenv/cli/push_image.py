"""Pushing an environment's image to a registry."""

from __future__ import annotations

import typer

from ..hub import image
from ..hub.build_context import context_files
from ..hub.image_build import ImageBuild
from .progress import progress
from .told_image import tell_image


def push_image(build: ImageBuild, dry_run: bool) -> None:
    """Build an image and push it to the registry in its name; a dry run lists each file and each command instead."""
    if dry_run:
        _list(build)
        return
    with progress(f"building {build.name}") as step:
        built = build.run(step)
        step(f"pushing {built.name}")
        image.push_image(built, step)
    tell_image("pushed", built)


def _list(build: ImageBuild) -> None:
    for path in context_files(build.context):
        typer.echo(f"would send to the engine: {path.as_posix()} ({(build.context / path).lstat().st_size:,} bytes)")
    for line in build.changed():
        typer.echo(f"would write into the image's Dockerfile: {line}")
    for call in [*build.calls(), f"docker push {build.name}"]:
        typer.echo(f"would run: {call}")
