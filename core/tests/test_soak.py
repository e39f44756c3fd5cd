"""Many sessions left behind in every way, after which the server holds what it held before the first."""

from __future__ import annotations

import sys

import pytest
from soak import Soak

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

GRAIN_KIB = 4096
"""What the allocator may still add after the first checkpoint."""

KIB_A_SESSION = 0.25
"""A forgotten session takes 37 KiB and more (measured: one that was greeted and never reset), so few of them show."""


def soak(capsys: pytest.CaptureFixture[str], sessions: int, checkpoints: int, **settings: str) -> None:
    """Leave sessions behind, at each checkpoint see that nothing is left of them, and print the figures.

    `Soak.leave` waits until threads, descriptors and processes are what they were; memory is judged here.
    """
    with Soak(**settings) as server:
        try:
            for _ in range(checkpoints):
                server.leave(sessions // checkpoints)
        finally:
            with capsys.disabled():
                print(f"\n{server.table()}")
    warm, last = server.checkpoints[0], server.checkpoints[-1]
    grown_kib = last.held.resident_kib - warm.held.resident_kib
    assert grown_kib < GRAIN_KIB + KIB_A_SESSION * (last.sessions - warm.sessions)


def test_hundreds_of_sessions_leave_nothing_behind(capsys: pytest.CaptureFixture[str]) -> None:
    soak(capsys, sessions=400, checkpoints=4)


def test_sessions_in_processes_leave_nothing_behind(capsys: pytest.CaptureFixture[str]) -> None:
    soak(capsys, sessions=100, checkpoints=2, OPENENV_ISOLATION="process")


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_ten_thousand_sessions_leave_nothing_behind(capsys: pytest.CaptureFixture[str]) -> None:
    soak(capsys, sessions=10_000, checkpoints=10)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_thousand_sessions_in_processes_leave_nothing_behind(capsys: pytest.CaptureFixture[str]) -> None:
    soak(capsys, sessions=1000, checkpoints=5, OPENENV_ISOLATION="process")
