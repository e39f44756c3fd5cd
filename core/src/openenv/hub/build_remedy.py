"""What to do about a build that failed."""

from __future__ import annotations

import re

from .base_image import CORE_FOLDER, OPENENV_BASE, is_checkout
from .build_log import BuildStep

CORE = "openenv-core"
NO_NETWORK = re.compile(r"name resolution|new connection|Network is unreachable|could not resolve|nodename nor servname", re.I)
NOT_FOUND = re.compile(r"No matching distribution found for (?P<project>[\w.-]+)|no version of (?P<other>[\w.-]+)")
NO_SPACE = re.compile(r"no space left on device", re.IGNORECASE)
TAKEN_FROM = re.compile(r"FROM (?:--\S+ )*(?P<image>\S+)|load metadata for (?P<asked>\S+)", re.IGNORECASE)
COPIES = re.compile(r"(?:COPY|ADD)\b", re.IGNORECASE)
WRONG_DOCKERFILE = re.compile(r"dockerfile parse error|unknown instruction", re.IGNORECASE)


def remedy(step: BuildStep, base_image: str | None) -> str:
    """Say what is to be done, for a sentence after a colon.

    Args:
        step: what failed.
        base_image: what `BASE_IMAGE` was in the build, or None where the Dockerfile has no such argument.
    """
    said = "\n".join([step.words, *step.lines, step.why])
    if found := TAKEN_FROM.match(step.words):
        image = found["image"] or found["asked"]
        image = base_image if base_image and "BASE_IMAGE" in image else image
        return f"what it builds on, {image}, cannot be had: name another by --build-arg BASE_IMAGE=…, or look at the network"
    if NO_SPACE.search(said):
        return "the engine's disk is full: docker system prune makes room"
    if NO_NETWORK.search(said):
        return "the build reaches no package index: look at the network, or name an index of yours by PIP_INDEX_URL"
    if found := NOT_FOUND.search(said):
        return _not_found(found["project"] or found["other"])
    if WRONG_DOCKERFILE.search(said):
        return "correct the Dockerfile"
    if step.exit_code is None and COPIES.match(step.words):
        return "put the file into the folder, or take it out of .dockerignore"
    return "mend what the lines above say"


def _not_found(project: str) -> str:
    if project.replace("_", "-").lower() != CORE:
        return f"no index has such a {project}: correct pyproject.toml, or name an index that has it by PIP_EXTRA_INDEX_URL"
    script = f"{CORE_FOLDER.parent / 'scripts' / 'images'} base" if is_checkout() else "scripts/images base in a checkout"
    return f"no index has such an {CORE}: run {script}, then build on what it makes by --build-arg BASE_IMAGE={OPENENV_BASE}"
