"""The options of `openenv push`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path, typer.Argument(help="The environment's folder.", show_default="this folder")]
RepoId = Annotated[
    str | None,
    typer.Option("--repo-id", "-r", help="The Space: OWNER/NAME, or NAME.", show_default="yours, NAME as in openenv.yaml"),
]
BaseImage = Annotated[
    str | None,
    typer.Option("--base-image", "-b", help="What the image is built on.", show_default="as the Dockerfile says"),
]
Interface = Annotated[
    bool | None,
    typer.Option(
        "--interface/--no-interface",
        help="Turn the server's playground on or off.",
        show_default="on where README.md says base_path: /web, else as the server has it",
    ),
]
Registry = Annotated[
    str | None,
    typer.Option(help="Push an image there instead, such as ghcr.io/me.", show_default="none: a Space is pushed"),
]
Private = Annotated[bool, typer.Option("--private", help="Only its owner may see the Space.")]
CreatePr = Annotated[bool, typer.Option("--create-pr", help="Open a pull request at the Space instead.")]
Exclude = Annotated[
    Path | None,
    typer.Option(help="A file of patterns of what is not pushed, as in a .gitignore.", show_default="no further patterns"),
]
Delete = Annotated[
    list[str] | None,
    typer.Option(
        metavar="GLOB", help="Files that the Space no longer has; may be repeated, '*' is all not pushed.", show_default="none"
    ),
]
Hardware = Annotated[
    str | None,
    typer.Option(
        "--hardware", "-H", help="What the Space runs on, such as t4-small.", show_default="what it has, or the Hub's"
    ),
]
Count = Annotated[int, typer.Option("--count", "-n", min=1, help="Push so many Spaces, NAME-1, NAME-2 …")]
EnvVar = Annotated[
    list[str] | None,
    typer.Option(
        "--env-var",
        "-e",
        metavar="K=V",
        help="A variable of the Space, for all to read.",
        show_default="variables of openenv.yaml",
    ),
]
Secret = Annotated[
    list[str] | None,
    typer.Option(metavar="K=V", help="A secret of the Space; K alone takes the environment variable."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="List each file and each call, and do nothing.")]
