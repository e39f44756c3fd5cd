"""`openenv validate`: hold an environment against the contract."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..client.address import address
from ..errors import ConnectError, LaunchError, MissingExtra, NotSupportedError, UnknownMessageTypeError, UsageError
from ..server.folder import is_folder
from .exits import FAILED
from .progress import progress

if TYPE_CHECKING:
    from ..testing import Finding

RUNTIME = ("metadata", "types", "resetting", "state", "endings", "rewards")
"""Rules that a few calls decide."""

HOST_AND_PORT = re.compile(r"[\w.-]+:\d+(?:/.*)?", re.ASCII)

LOGGED_WIDTH = 400
"""Columns of a table that no terminal shows, so that a finding has its line."""

COLOURS = {"kept": "green", "broken": "bold red", "warning": "yellow", "skipped": "dim"}


Begins = Callable[[str], None]
"""Is called with what is tried next."""


class Level(StrEnum):
    """How much is tried; each has what those before it have."""

    STATIC = "static"
    RUNTIME = "runtime"
    SEMANTIC = "semantic"


def validate(
    target: Annotated[
        str | None, typer.Argument(metavar="[PATH|URL|NAME]", help="What to examine.", show_default="this folder")
    ] = None,
    url: Annotated[str | None, typer.Option(help="Hold the contract against this running server.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds for the server's start, and for all rules.")] = 120.0,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say why rules were skipped.")] = False,
    level: Annotated[Level, typer.Option(help="static starts no server; runtime makes a few calls.")] = Level.SEMANTIC,
    skip_build: Annotated[
        bool, typer.Option("--skip-build", help="Taken for scripts that give it: no image is built.")
    ] = False,
    output: Annotated[Path | None, typer.Option(help="Write the JSON to this file too.")] = None,
) -> None:
    """Examine an environment: its folder, then a server of it by the rules of the contract.

    Exit code 0: all kept, warnings aside. 1: something is broken. 2: it cannot be examined as asked.
    """
    if target is not None and "://" in target:
        target, url = None, url or target
    if target is not None and HOST_AND_PORT.fullmatch(target):
        raise UsageError(f"{target} is no address of a server: write http://{target}")
    if url is None:
        target = target or "."
    elif level is Level.STATIC:
        raise UsageError("a server has no folder to look at: leave --level static out")
    if level is not Level.STATIC and find_spec("hypothesis") is None:
        raise MissingExtra("the rules draw actions with Hypothesis: pip install 'openenv-core[testing]', or --level static")
    if output is not None and not output.absolute().parent.is_dir():
        raise UsageError(f"--output {output}: there is no folder {output.parent} to write into")
    with progress("looking at the folder") as begins:
        findings = [*_static(target), *_live(target, url, level, timeout, lambda doing: begins(f"trying {doing}"))]
    broken = any(finding.verdict == "broken" for finding in findings)
    report = json.dumps(
        {"target": url or target, "kept": not broken, "findings": [asdict(finding) for finding in findings]}, indent=2
    )
    if output is not None:
        output.write_text(report + "\n", encoding="utf-8")
    if as_json:
        typer.echo(report)
    else:
        _show(findings, verbose)
    if broken:
        raise typer.Exit(FAILED)


def _static(target: str | None) -> Iterator[Finding]:
    """Look at a folder, where the target is one; a name or an app has none."""
    from ..testing.project import examine_folder

    if target is not None and Path(target).is_dir():
        yield from examine_folder(Path(target))


def _live(target: str | None, url: str | None, level: Level, timeout_s: float, begins: Begins) -> Iterator[Finding]:
    """Hold the contract against a server, which is started here unless there is one."""
    from ..testing import RULES

    if level is Level.STATIC:
        return
    names = RUNTIME if level is Level.RUNTIME else tuple(RULES)
    if url is not None or target is None:
        yield from _running(address(url or "").http, names, timeout_s, begins)
    else:
        yield from _started(target, names, timeout_s, begins)


def _running(url: str, names: Sequence[str], timeout_s: float, begins: Begins) -> Iterator[Finding]:
    from ..testing import Finding, Subject, Verdict
    from ..testing.bounded import examine_within

    subject = Subject(url=url, timeout_s=min(Subject.timeout_s, timeout_s))
    begins("whether it answers")
    try:
        subject.look_up()
    except ConnectError as error:
        yield Finding("answering", Verdict.BROKEN, error.message)
        return
    except (UnknownMessageTypeError, NotSupportedError) as error:
        raise UsageError(f"{error.message}: examine its folder, or a server in simulation mode") from None
    yield Finding("answering", Verdict.KEPT)
    yield from examine_within(subject, names, timeout_s, begins=begins)


def _started(target: str, names: Sequence[str], timeout_s: float, begins: Begins) -> Iterator[Finding]:
    from ..launch.process import ProcessProvider
    from ..server.naming import name_of
    from ..testing import Finding, Subject, Verdict
    from ..testing.bounded import examine_within

    provider = ProcessProvider(target if is_folder(target) else name_of(target), startup_timeout_s=timeout_s)
    begins("to start the server")
    try:
        at = provider.start()
        provider.wait_for_ready()
        yield Finding("starting", Verdict.KEPT)
        yield from examine_within(Subject(url=at), names, timeout_s, begins=begins)
    except LaunchError as error:
        yield Finding("starting", Verdict.BROKEN, error.message)
    finally:
        provider.stop()


def _show(findings: list[Finding], verbose: bool) -> None:
    """Print a table, and what it comes to."""
    table = Table("rule", "verdict", "told", box=None, pad_edge=False)
    for finding in findings:
        told = finding.told if verbose or finding.verdict != "skipped" else ""
        table.add_row(finding.rule, Text(finding.verdict, COLOURS[finding.verdict]), Text(told))
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, LOGGED_WIDTH)
    console.print(table)
    counts = Counter(str(finding.verdict) for finding in findings)
    console.print(", ".join(f"{counts[verdict]} {verdict}" for verdict in COLOURS if counts[verdict]))
    if counts["skipped"] and not verbose:
        console.print("openenv validate -v says why rules were skipped", style="dim")
