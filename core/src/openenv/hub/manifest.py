"""The manifest of an environment's folder, `openenv.yaml`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from ..errors import UsageError

MANIFEST = "openenv.yaml"


def manifest_of(root: Path) -> dict[str, Any]:
    """Return what a folder's manifest says. Raises `UsageError` where it cannot be read, or holds no names and values."""
    try:
        content = yaml.safe_load((root / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"cannot read {root / MANIFEST}: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise UsageError(f"{root / MANIFEST} must hold names and values, such as 'app: server.app:app'")
    return content
