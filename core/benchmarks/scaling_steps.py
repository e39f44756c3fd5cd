"""The steps of scaling that one machine can measure."""

from __future__ import annotations

ONE, WORKERS, FLEET, RAY = "one", "workers", "fleet", "ray"
STEPS = {
    ONE: "one process",
    WORKERS: "2 workers",
    FLEET: "fleet of 2",
    RAY: "fleet of 2 on a Ray cluster of 2 nodes",
}
