"""What a Dockerfile owes those who run its image."""

from __future__ import annotations

import re

CONTINUED = re.compile(r"\\[ \t]*\n")


def faults(text: str) -> list[str]:
    """Return what should be otherwise in a Dockerfile, for the image that its last stage makes."""
    instructions = _instructions(text)
    found = []
    if "FROM" not in instructions:
        found.append("no FROM says what it is built on")
    user = instructions.get("USER", "")
    if user.partition(":")[0] in ("", "root", "0"):
        found.append("the server runs as root: add a user, and USER with its name")
    if instructions.get("HEALTHCHECK", "NONE") == "NONE":
        found.append("no HEALTHCHECK asks whether the server answers")
    starts = [instructions[name] for name in ("ENTRYPOINT", "CMD") if name in instructions]
    if not starts:
        found.append("no CMD starts the server")
    if any(not start.startswith("[") for start in starts):
        found.append('CMD and ENTRYPOINT need the exec form, CMD ["…"]: a shell in between hears the signal to stop')
    return found


def _instructions(text: str) -> dict[str, str]:
    """Return the last of each kind of instruction in the last stage."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    found: dict[str, str] = {}
    for line in CONTINUED.sub(" ", "\n".join(lines)).splitlines():
        name, _, rest = line.strip().partition(" ")
        if name.upper() == "FROM":
            found.clear()
        if name:
            found[name.upper()] = rest.strip()
    return found
