"""`openenv push`: publish an environment, as a Space of the Hub or as an image at a registry."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import UsageError
from ..hub.environment_folder import EnvironmentFolder, environment_folder
from ..hub.image import build_image, image_at, push_image
from ..hub.publication import Publication
from ..hub.publishing import PublishedSpace, SpacePush
from ..hub.space_folder import SpaceFolder, space_folder
from .assignments import assignments
from .progress import progress
from .static_findings import refuse_broken


def push(
    path: Annotated[Path, typer.Argument(help="The environment's folder.", show_default="this folder")] = Path(),
    repo_id: Annotated[
        str | None,
        typer.Option("--repo-id", "-r", help="The Space: OWNER/NAME, or NAME.", show_default="yours, NAME as in openenv.yaml"),
    ] = None,
    base_image: Annotated[
        str | None,
        typer.Option("--base-image", "-b", help="What the image is built on.", show_default="as the Dockerfile says"),
    ] = None,
    interface: Annotated[
        bool | None,
        typer.Option(
            "--interface/--no-interface",
            help="Turn the server's playground on or off.",
            show_default="on where README.md says base_path: /web, else as the server has it",
        ),
    ] = None,
    registry: Annotated[
        str | None,
        typer.Option(help="Push an image there instead, such as ghcr.io/me.", show_default="none: a Space is pushed"),
    ] = None,
    private: Annotated[bool, typer.Option("--private", help="Only its owner may see the Space.")] = False,
    create_pr: Annotated[bool, typer.Option("--create-pr", help="Open a pull request at the Space instead.")] = False,
    exclude: Annotated[
        Path | None,
        typer.Option(help="A file of patterns of what is not pushed, as in a .gitignore.", show_default="no further patterns"),
    ] = None,
    delete: Annotated[
        list[str] | None,
        typer.Option(
            metavar="GLOB",
            help="Files that the Space no longer has; may be repeated, '*' is all not pushed.",
            show_default="none",
        ),
    ] = None,
    hardware: Annotated[
        str | None,
        typer.Option(
            "--hardware", "-H", help="What the Space runs on, such as t4-small.", show_default="what it has, or the Hub's"
        ),
    ] = None,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="Push so many Spaces, NAME-1, NAME-2 …")] = 1,
    env_var: Annotated[
        list[str] | None,
        typer.Option(
            "--env-var",
            "-e",
            metavar="K=V",
            help="A variable of the Space, for all to read.",
            show_default="variables of openenv.yaml",
        ),
    ] = None,
    secret: Annotated[
        list[str] | None,
        typer.Option(metavar="K=V", help="A secret of the Space; K alone takes the environment variable."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List each file and each call, and do nothing.")] = False,
) -> None:
    """Publish an environment: its folder as a Docker Space of the Hub, or with --registry its image.

    Files that hold secrets, such as .env, are never pushed.
    """
    variables, secrets = assignments("--env-var", env_var or ()), assignments("--secret", secret or ())
    folder = environment_folder(path)
    refuse_broken(path)
    if registry is not None:
        given: dict[str, object] = {
            "--repo-id": repo_id,
            "--private": private,
            "--create-pr": create_pr,
            "--exclude": exclude,
            "--delete": delete,
        }
        given |= {"--hardware": hardware, "--count": count > 1, "--env-var": env_var, "--secret": secret}
        _refuse_with_registry([name for name, value in given.items() if value])
        _push_image(folder, image_at(registry, folder.image), base_image, interface, dry_run)
        return
    space = space_folder(folder, interface=interface, base_image=base_image, exclude=exclude)
    name = repo_id or folder.repo_name
    if not create_pr:
        variables = {**folder.variables, **variables}
    pushes = [
        SpacePush(space, Publication(one, private, create_pr, delete or (), hardware, variables, secrets))
        for one in ([name] if count == 1 else [f"{name}-{number}" for number in range(1, count + 1)])
    ]
    for kept in space.secret:
        typer.echo(f"not pushed, for such files hold secrets: {kept} (--secret K=V gives the Space what it needs)", err=True)
    if dry_run:
        _list(space, pushes)
        return
    for one in pushes:
        with progress("asking the Hub") as begins:
            done = one.run(begins=begins)
        _told(done)


def _refuse_with_registry(options: list[str]) -> None:
    if options:
        raise UsageError(f"{', '.join(options)}: that is of a Space, and --registry pushes an image: leave one of them out")


def _push_image(folder: EnvironmentFolder, name: str, base_image: str | None, interface: bool | None, dry_run: bool) -> None:
    if dry_run:
        typer.echo(f"would run: docker build --tag {name} --file {folder.dockerfile} {folder.root}")
        typer.echo(f"would run: docker push {name}")
        return
    with progress(f"building {name}") as step:
        image = build_image(folder, name, base_image=base_image, interface=interface, step=step)
        step(f"pushing {name}")
        push_image(image, step)
    typer.echo(f"pushed {name}: {image.size_bytes / 1e6:.0f} MB")
    typer.echo()
    typer.echo("from openenv import GenericEnvClient")
    typer.echo(f'with GenericEnvClient.from_docker_image("{name}").sync() as env:')
    typer.echo("    print(env.reset().observation)")


def _list(space: SpaceFolder, pushes: list[SpacePush]) -> None:
    """Print each file and each call."""
    for file in space.files:
        typer.echo(f"would push: {file.path} ({file.size_bytes:,} bytes{f', {file.told}' if file.told else ''})")
    for one in pushes:
        for call in one.calls():
            typer.echo(f"would call: {call.told}")


def _told(done: PublishedSpace) -> None:
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
