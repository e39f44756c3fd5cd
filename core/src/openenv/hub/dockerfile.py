"""What is changed in a Dockerfile for an image that is published."""

from __future__ import annotations

import re

from ..errors import UsageError

ARGUMENT = re.compile(r"^(\s*ARG\s+BASE_IMAGE)(=\S*)?[ \t]*$", re.MULTILINE | re.IGNORECASE)
FROM = re.compile(r"^(\s*FROM\s+(?:--\S+\s+)*)(\S+)((?:\s+AS\s+(\S+))?[ \t]*)$", re.MULTILINE | re.IGNORECASE)
PLAYGROUND = "ENABLE_WEB_INTERFACE"
"""The environment variable that turns the playground on and off."""


def published_dockerfile(text: str, base_image: str | None = None, interface: bool | None = None) -> str:
    """Return a Dockerfile for publishing; with nothing asked for the same text.

    Args:
        text: the Dockerfile.
        base_image: what to build on, instead of the default of its `ARG BASE_IMAGE` or, without one, of its `FROM`.
        interface: whether the server shows its playground; None leaves that as it is.

    Raises:
        UsageError: it builds on several images and has no `ARG BASE_IMAGE`, so that it is not clear which is meant.
    """
    if base_image is not None:
        text = _based_on(text, base_image)
    if interface is not None:
        text = f"{text.rstrip()}\nENV {PLAYGROUND}={'true' if interface else 'false'}\n"
    return text


def declares(text: str, argument: str) -> bool:
    """Return whether a Dockerfile takes a build argument."""
    return re.search(rf"^\s*ARG\s+{argument}\b", text, re.MULTILINE | re.IGNORECASE) is not None


def argument_default(text: str, argument: str) -> str | None:
    """Return what a Dockerfile takes for a build argument that is not given, or None where it has no such thing."""
    found = re.search(rf"^\s*ARG\s+{argument}=(\S+)", text, re.MULTILINE | re.IGNORECASE)
    return found[1] if found else None


def _based_on(text: str, base_image: str) -> str:
    if ARGUMENT.search(text):
        return ARGUMENT.sub(lambda found: f"{found[1]}={base_image}", text)
    stages = {found[4].lower() for found in FROM.finditer(text) if found[4]}
    images = {found[2] for found in FROM.finditer(text)} - {"scratch"}
    outside = {image for image in images if image.lower() not in stages}
    if len(outside) != 1:
        told = ", ".join(sorted(outside)) or "no image"
        raise UsageError(f"the Dockerfile builds on {told}: write ARG BASE_IMAGE=… before the FROM that is meant")
    return FROM.sub(lambda found: f"{found[1]}{base_image}{found[3]}" if found[2] in outside else found[0], text)
