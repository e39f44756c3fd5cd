"""What a step tells those after it in a workflow."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def tell(values: Mapping[str, str]) -> None:
    """Add `name=value` lines to the file that a workflow's runner names in GITHUB_OUTPUT; elsewhere do nothing."""
    file = os.environ.get("GITHUB_OUTPUT")
    if file:
        with Path(file).open("a", encoding="utf-8") as outputs:
            outputs.writelines(f"{name}={value}\n" for name, value in values.items())
