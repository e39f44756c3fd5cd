"""What is wrong in a folder that is to be built or pushed."""

from __future__ import annotations

from pathlib import Path

import typer

from ..errors import UsageError

DECISIVE = ("manifest", "project", "layout", "dockerfile")
"""Rules whose breach makes an image that does not build or run."""


def refuse_broken(folder: Path) -> None:
    """Tell on standard error what should be mended in an environment's folder.

    Raises:
        UsageError: something is broken, the first of it.
    """
    from ..testing.project import examine_folder

    for finding in examine_folder(folder):
        if finding.rule not in DECISIVE:
            continue
        if finding.verdict == "broken":
            raise UsageError(f"{folder} is not in order: {finding.told} (openenv validate --level static tells all)")
        if finding.verdict == "warning":
            typer.echo(f"warning: {finding.told}", err=True)
