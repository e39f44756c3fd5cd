"""The command `openenv`: puts the commands together."""

from __future__ import annotations

import sys

import typer

from ..errors import OpenEnvError, PublishError, UsageError
from ..version import __version__
from .bench import bench
from .build import build
from .collect import collect
from .command import Command
from .doctor import doctor
from .exits import FAILED, OK, USAGE
from .init import init
from .list_environments import list_environments
from .mistake import told
from .play import play
from .push import push
from .serve import serve
from .validate import validate

COMMANDS = {
    **{command.__name__: command for command in (init, serve, validate, build, push, play, collect, bench, doctor)},
    "list": list_environments,
}

app = typer.Typer(
    name="openenv",
    help="Reinforcement-learning environments as typed, isolated services.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for name, command in COMMANDS.items():
    app.command(name, cls=Command)(command)


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"openenv-core {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(False, "--version", is_eager=True, callback=_tell_version, help="Tell the version and end."),
) -> None:
    """Reinforcement-learning environments as typed, isolated services."""


def main() -> None:
    """Run the command that the arguments name; what it cannot do is told in one line, below what a program said that failed."""
    try:
        sys.exit(app(standalone_mode=False) or OK)
    except typer.TyperException as error:
        if line := told(error):
            print(line, file=sys.stderr)
        sys.exit(error.exit_code)
    except typer.Abort:
        print("openenv: aborted", file=sys.stderr)
        sys.exit(FAILED)
    except OpenEnvError as error:
        for line in error.output if isinstance(error, PublishError) else ():
            print(line, file=sys.stderr)
        print(f"openenv: {error.message}", file=sys.stderr)
        sys.exit(USAGE if isinstance(error, UsageError) else FAILED)
