"""Several sessions at once, sessions elsewhere, and sessions that are over."""

from __future__ import annotations

import asyncio
import gc
import inspect
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from ...errors import CapacityReached
from ..episode import Episode, again, play, reset
from ..subject import Subject
from ..verdict import ContractBroken, DoesNotApply

TOGETHER = 8
ROUNDS = 12
LEFT_FROM_ONE_ROUND = ROUNDS // 2
DESCRIPTORS = Path("/proc/self/fd")


def over_the_wire(subject: Subject) -> None:
    """Behind a server's socket an episode is the same as in process."""
    with subject.open() as session:
        here = play(session, subject, 5)
    with subject.served() as served, served.open() as session:
        there = again(session, served, 5, here.actions)
        if there.told(subject) != here.told(subject):
            raise ContractBroken("the same seed and actions give something else over a socket than in process")
        if not here.last.done:
            return
        again(session, served, 5, here.actions)


def cross_talk(subject: Subject) -> None:
    """Sessions that take turns step by step, and then all at once, see what each of them sees alone."""
    if subject.url is None and not subject.spec.concurrent:
        raise DoesNotApply("it does not declare SUPPORTS_CONCURRENT_SESSIONS")
    with subject.open() as session:
        alone = [play(session, subject, seed, longest=min(20, subject.longest)) for seed in range(TOGETHER)]
    with ExitStack() as stack:
        where = subject if subject.url is not None else stack.enter_context(subject.served())
        try:
            sessions = [stack.enter_context(where.open()) for _ in range(TOGETHER)]
            together = [Episode(reset(session, where, seed)) for seed, session in enumerate(sessions)]
        except CapacityReached as error:
            raise DoesNotApply(f"the server has no room for {TOGETHER} sessions: {error}") from None
        for turn in range(max(len(episode.actions) for episode in alone)):
            for mine, episode, session in zip(alone, together, sessions, strict=True):
                if turn < len(mine.actions):
                    episode.actions.append(mine.actions[turn])
                    episode.steps.append(session.step(mine.actions[turn]))
        _compared(subject, alone, together, "taking turns with")
        with ThreadPoolExecutor(TOGETHER) as threads:
            seeds, actions = range(TOGETHER), [mine.actions for mine in alone]
            try:
                at_once = list(threads.map(again, sessions, [where] * TOGETHER, seeds, actions))
            except ContractBroken as error:
                raise ContractBroken(f"at once with {TOGETHER - 1} other sessions {error}") from None
        _compared(subject, alone, at_once, "at once with")


def _compared(subject: Subject, alone: list[Episode], together: list[Episode], how: str) -> None:
    for seed, (mine, episode) in enumerate(zip(alone, together, strict=True)):
        if mine.told(subject) != episode.told(subject):
            raise ContractBroken(f"{how} {TOGETHER - 1} other sessions the episode of seed {seed} is another than alone")


def closing(subject: Subject) -> None:
    """It can be closed twice, and before it was ever reset."""
    for begun in (False, True):
        environment = subject.spec.build()
        if begun and not subject.spec.is_async:
            environment.reset(seed=0, **subject.reset_options)
        for _ in range(2):
            try:
                asyncio.run(_close(environment))
            except Exception as error:
                raise ContractBroken(f"close() raised {type(error).__name__}: {error}") from error


async def _close(environment: Any) -> None:
    closed = environment.close() if hasattr(environment, "close") else None
    if inspect.isawaitable(closed):
        await closed


def leaks(subject: Subject) -> None:
    """A session that is over leaves no thread, no open file and nothing in the folder of temporary files behind."""
    if subject.url is not None:
        raise DoesNotApply("a server's threads and files cannot be seen from here")
    with _temporary_files() as place:
        _rounds(subject, 2)
        before = _held(place)
        _rounds(subject, ROUNDS)
        held = _held(place)
    for kind, count in held.items():
        if count >= before[kind] + LEFT_FROM_ONE_ROUND:
            more = f"{count - before[kind]} more {kind}"
            raise ContractBroken(f"after {ROUNDS} sessions there are {more}: let them go in close()")


def _rounds(subject: Subject, count: int) -> None:
    for _ in range(count):
        with subject.open() as session:
            play(session, subject, 0, longest=3)
    gc.collect()


@contextmanager
def _temporary_files() -> Iterator[Path]:
    """Have this process make its temporary files in a folder of their own for as long as a block runs."""
    usual = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="openenv-leaks-", ignore_cleanup_errors=True) as place:
        tempfile.tempdir = place
        try:
            yield Path(place)
        finally:
            tempfile.tempdir = usual


def _held(place: Path) -> dict[str, int]:
    held = {"threads": threading.active_count(), "temporary files": sum(1 for _ in place.iterdir())}
    if DESCRIPTORS.exists():
        held["open files"] = sum(1 for _ in DESCRIPTORS.iterdir())
    return held
