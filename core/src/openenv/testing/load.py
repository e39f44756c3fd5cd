"""A short load on a running server: how many steps it does, and how long one takes."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from statistics import quantiles
from typing import Any

from ..client.generic import GenericEnvClient
from ..errors import ExecutionError, InvalidActionError, OpenEnvError, UsageError
from ..rollout.fleet.capacity import told_capacity
from .subject import Subject


@dataclass(frozen=True)
class Load:
    """What a load came to.

    Attributes:
        sessions: how many there were at once.
        seconds: how long they stepped.
        steps: how many steps were done, refused ones not counted.
        refused: how many actions the environment refused.
        resets: how many episodes were begun after the first of each session.
        steps_per_s: of all sessions together.
        p50_ms, p99_ms: milliseconds that half of the steps, and 99 of 100, took at most.
    """

    sessions: int
    seconds: float
    steps: int
    refused: int
    resets: int
    steps_per_s: float
    p50_ms: float
    p99_ms: float


@dataclass
class _Tally:
    durations_s: list[float]
    refused: int = 0
    resets: int = 0


def measure(url: str, sessions: int, seconds: float) -> Load:
    """Step `sessions` sessions of a server for `seconds`, each one step after the other, with random actions.

    Raises:
        UsageError: the server says that it takes fewer sessions at once.
        OpenEnvError: the server cannot be reached, has no room left for so many sessions, or the environment fails.
    """
    most = told_capacity(url, {})
    if most is not None and sessions > most:
        raise UsageError(f"{url} takes {most} sessions at once, and {sessions} are wanted: give --sessions {most} at most")
    subject = Subject(url=url)
    subject.drawn  # noqa: B018 - drawn before the clock runs
    return asyncio.run(_measure(subject, sessions, seconds))


async def _measure(subject: Subject, sessions: int, seconds: float) -> Load:
    assert subject.url is not None
    tally = _Tally([])
    clients = [GenericEnvClient(base_url=subject.url) for _ in range(sessions)]
    try:
        firsts = await asyncio.gather(*(client.reset(seed=number) for number, client in enumerate(clients)))
        began = time.perf_counter()
        ends = began + seconds
        players = [
            _play(client, subject, first.observation, random.Random(number), ends, tally)
            for number, (client, first) in enumerate(zip(clients, firsts, strict=True))
        ]
        await asyncio.gather(*players)
        took_s = time.perf_counter() - began
    finally:
        await asyncio.gather(*(client.close() for client in clients))
    return _load(tally, sessions, took_s)


async def _play(
    client: GenericEnvClient, subject: Subject, observation: dict[str, Any], chance: random.Random, ends: float, tally: _Tally
) -> None:
    while time.perf_counter() < ends:
        choices = subject.choices(observation)
        action = chance.choice(choices) if choices else {}
        began = time.perf_counter()
        try:
            result = await client.step(action)
        except (InvalidActionError, ExecutionError):
            tally.refused += 1
            continue
        tally.durations_s.append(time.perf_counter() - began)
        observation = result.observation
        if result.done:
            tally.resets += 1
            observation = (await client.reset()).observation


def _load(tally: _Tally, sessions: int, seconds: float) -> Load:
    steps = len(tally.durations_s)
    if not steps:
        raise OpenEnvError(f"no step was done: the environment refused all {tally.refused} actions that fit its schema")
    cuts = quantiles(tally.durations_s, n=100) if steps > 1 else [tally.durations_s[0]] * 99
    return Load(
        sessions=sessions,
        seconds=seconds,
        steps=steps,
        refused=tally.refused,
        resets=tally.resets,
        steps_per_s=steps / seconds,
        p50_ms=1000 * cuts[49],
        p99_ms=1000 * cuts[98],
    )
