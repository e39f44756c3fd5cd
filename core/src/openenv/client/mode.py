"""Which kind of server a client expects."""

from __future__ import annotations

import os

from ..errors import UsageError

VARIABLE = "OPENENV_CLIENT_MODE"
SIMULATION, PRODUCTION = "simulation", "production"


def client_mode(given: str | None) -> str:
    """Return the mode given, else the environment variable's, else `simulation`. Raises `UsageError` for any other."""
    chosen = (given or os.environ.get(VARIABLE) or SIMULATION).lower()
    if chosen not in (SIMULATION, PRODUCTION):
        raise UsageError(f"mode is {SIMULATION!r} or {PRODUCTION!r} (an argument, or {VARIABLE}), not {chosen!r}")
    return chosen
