"""A mistake in the arguments of a command, as it is told."""

from __future__ import annotations

import typer


def told(error: typer.TyperException) -> str:
    """Say in one line which command was given what it does not take, and what lists all that it does take.

    Empty where help was all that was asked for, and has been shown.
    """
    what = " ".join(error.format_message().split()).removesuffix(".")
    context: typer.Context | None = getattr(error, "ctx", None)
    if not what or context is None:
        return what and f"openenv: {what}"
    command = "openenv" if context.parent is None else f"openenv {context.info_name}"
    end = "" if what.endswith("?") else ";"
    return f"{command}: {what[0].lower()}{what[1:]}{end} see {context.command_path} --help"
