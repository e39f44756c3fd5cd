"""Writes the sizes of the images that are here into docs/containers.md: `scripts/images`, then `python docs/image_sizes.py`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

DOCUMENT = Path(__file__).parent / "containers.md"
ENVIRONMENTS = Path(__file__).parents[1] / "envs"
PLACE = re.compile(r"(<!-- sizes: .* -->\n).*(<!-- end of sizes -->\n)", re.DOTALL)
BASE = "openenv-base:latest"


def layers(image: str) -> list[str]:
    done = subprocess.run(["docker", "image", "inspect", image], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"there is no image {image} here: scripts/images builds it")
    (found,) = json.loads(done.stdout)
    return [str(found["Size"]), *found["RootFS"]["Layers"]]


def rows() -> list[str]:
    names = [f"{path.parent.name}-env:latest" for path in sorted(ENVIRONMENTS.glob("*/Dockerfile"))]
    base_size, *base = layers(BASE)
    told = [f"| `openenv-base` | {int(base_size) / 1e6:.0f} | |"]
    for name in names:
        size, *its = layers(name)
        own = (int(size) - int(base_size)) / 1e6
        if its[: len(base)] != base:
            sys.exit(f"{name} was not built on this {BASE}: run scripts/images")
        told.append(f"| `{name.removesuffix(':latest')}` | {int(size) / 1e6:.0f} | {own:.0f} |")
    return told


if __name__ == "__main__":
    base_image = sys.argv[1] if len(sys.argv) > 1 else "python:3.11-slim"
    under = int(layers(base_image)[0]) / 1e6
    head = [
        f"On a base image with Python of {under:.0f} MB:",
        "",
        "| image | MB | of which beside `openenv-base` |",
        "|---|---|---|",
    ]
    table = "\n".join([*head, *rows()])
    DOCUMENT.write_text(PLACE.sub(lambda found: f"{found[1]}{table}\n{found[2]}", DOCUMENT.read_text()))
