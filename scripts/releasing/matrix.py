"""What workflows make a matrix of."""

from __future__ import annotations

import json
from pathlib import Path

from .outputs import tell
from .packages import packages
from .refusal import run


def matrix(root: Path) -> dict[str, list[str]]:
    """Return the names of the checkout's folders.

    `packages` are core and the environments; `environments` are those below `envs`; `images` those of them with a Dockerfile;
    `spaces` those of them with a Dockerfile and a manifest.
    """
    found = packages(root)
    images = [each for each in found[1:] if (each.folder / "Dockerfile").is_file()]
    return {
        "packages": [each.name for each in found],
        "environments": [each.name for each in found[1:]],
        "images": [each.name for each in images],
        "spaces": [each.name for each in images if (each.folder / "openenv.yaml").is_file()],
    }


def main() -> None:
    """Print the lists as one JSON object."""
    found = matrix(Path.cwd())
    print(json.dumps(found))
    tell({name: json.dumps(names) for name, names in found.items()})


if __name__ == "__main__":
    run("matrix", main)
