"""What a server serves."""

from __future__ import annotations

from enum import StrEnum


class ServerMode(StrEnum):
    """`simulation` serves episodes and tools; `production` serves tools only, with no reset, step or state to be reached."""

    SIMULATION = "simulation"
    PRODUCTION = "production"
