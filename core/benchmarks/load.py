"""A load generator: `python -m load SIDE`, where SIDE is a folder with a client: ours, published, floor.

Reads commands from standard input, one JSON object a line, and answers each with one line: what it measured, or `error`,
or `absent` with the reason. The code is the same for every side, and runs in the python of its side.
"""

from __future__ import annotations

import asyncio
import http.client
import importlib
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from importlib.metadata import version
from typing import Any

import payload
from memory import resident_mb
from process_start import allow_many_sockets
from processor import used_s

clock = time.perf_counter
OPENING_AT_ONCE = 16
SETTLE_S = 1.0
ROUNDS = 3
COUNTED_SESSIONS = 16
"""The memory of fewer cannot be told from the server's own changes."""
Result = dict[str, Any]


class Load:
    """Carries out commands with one side's client.

    Args:
        side: the side's client module.
        runner: what runs its coroutines.
    """

    def __init__(self, side: Any, runner: asyncio.Runner) -> None:
        self._side = side
        self._runner = runner

    def carry_out(self, command: Result) -> Result:
        """Return what a command measured, or why it cannot be."""
        do = command.pop("do")
        absence = self._side.absence(command.get("kind", payload.SMALL), do)
        if absence is not None:
            return {"absent": absence}
        done = getattr(self, do)(**command)
        return self._runner.run(done) if asyncio.iscoroutine(done) else done

    async def sequential(self, kind: str, url: str, seconds: float, warmup_s: float) -> Result:
        """One session, one step after the other."""
        action = self._side.move()
        async with self._side.client(kind, url) as env:
            used = self._checked(kind, await env.reset())
            await _repeated(lambda: env.step(action), warmup_s)
            return rates(await _repeated(lambda: env.step(action), seconds)) | {"used": used}

    def blocking(self, kind: str, url: str, seconds: float, warmup_s: float) -> Result:
        """As `sequential`, with the blocking client."""
        action = self._side.move()
        with self._side.blocking(kind, url) as env:
            used = self._checked(kind, env.reset())
            _repeated_blocking(lambda: env.step(action), warmup_s)
            return rates(_repeated_blocking(lambda: env.step(action), seconds)) | {"used": used}

    def http(self, kind: str, url: str, seconds: float, warmup_s: float) -> Result:
        """One session of POST /step on one connection, with the standard library's client."""
        connection = http.client.HTTPConnection(url.removeprefix("http://"))
        headers = {"Content-Type": "application/json"}

        def post(path: str, body: bytes) -> bytes:
            connection.request("POST", path, body, headers)
            reply = connection.getresponse()
            content = reply.read()
            if reply.status != 200:
                raise RuntimeError(f"{path}: {reply.status} {content[:200]!r}")
            if "X-OpenEnv-Session" in reply.headers:
                headers["X-OpenEnv-Session"] = reply.headers["X-OpenEnv-Session"]
            return content

        step = json.dumps({"action": {"amount": 1}}).encode()
        post("/reset", b"{}")
        _repeated_blocking(lambda: post("/step", step), warmup_s)
        durations = _repeated_blocking(lambda: post("/step", step), seconds)
        connection.close()
        return rates(durations)

    def in_process(self, kind: str, seconds: float, warmup_s: float, url: str = "") -> Result:
        """The environment called directly."""
        env, action = self._side.in_process(kind), self._side.move()
        env.reset()
        _repeated_blocking(lambda: env.step(action), warmup_s)
        return rates(_repeated_blocking(lambda: env.step(action), seconds))

    async def concurrent(self, kind: str, url: str, count: int, seconds: float, warmup_s: float) -> Result:
        """Many sessions, each on a connection of its own, each doing one step after the other."""
        async with AsyncExitStack() as stack:
            envs = await self.opened(stack, kind, url, count)
            return rates((await self.played(envs, seconds, warmup_s))[0], seconds)

    async def crowd(self, kind: str, url: str, count: int, seconds: float, warmup_s: float, pid: int) -> Result:
        """As `concurrent`, with the server's memory for each session, and what a step costs server and client.

        It lasts longer where a session could not do `ROUNDS` steps in that time.
        """
        action = self._side.move()
        idle = resident_mb(pid)
        async with AsyncExitStack() as stack:
            envs = await self.opened(stack, kind, url, count)
            began = clock()
            await asyncio.gather(*(env.step(action) for env in envs))
            round_s = clock() - began
            seconds, warmup_s = max(seconds, ROUNDS * round_s), max(warmup_s, round_s)
            began, server_s, client_s = clock(), used_s(pid), time.process_time()
            durations, before = await self.played(envs, seconds, warmup_s)
            elapsed_s, server_s, client_s = clock() - began, used_s(pid) - server_s, time.process_time() - client_s
            full = resident_mb(pid)
        steps = before + len(durations)
        result = rates(durations, seconds) | {
            "server_us": server_s / steps * 1e6,
            "client_us": client_s / steps * 1e6,
            "server_busy": server_s / elapsed_s * 100,
            "client_busy": client_s / elapsed_s * 100,
        }
        return result | ({"session_kb": (full - idle) * 1000 / count} if count >= COUNTED_SESSIONS else {})

    async def played(self, envs: list[Any], seconds: float, warmup_s: float) -> tuple[list[float], int]:
        """Let every session do one step after the other.

        Returns:
            How long each step took that began after the warm-up, and how many began in it.
        """
        action = self._side.move()
        start = clock() + warmup_s
        end = start + seconds
        durations: list[float] = []
        before = 0

        async def play(env: Any) -> None:
            nonlocal before
            while (began := clock()) < end:
                await env.step(action)
                if began >= start:
                    durations.append(clock() - began)
                else:
                    before += 1

        await asyncio.gather(*map(play, envs))
        return durations, before

    async def lanes(self, kind: str, url: str, count: int, seconds: float, warmup_s: float) -> Result:
        """Many environments on one connection, all stepped by one message."""
        actions = [self._side.move()] * count
        async with self._side.lanes(kind, url, count) as envs:
            for results in (await envs.reset(), await envs.step(actions)):
                if isinstance(results, list) and (len(results) != count or any(isinstance(r, Exception) for r in results)):
                    raise RuntimeError(f"{count} lanes gave {results[:3]} …")
            await _repeated(lambda: envs.step(actions), warmup_s)
            result = rates(await _repeated(lambda: envs.step(actions), seconds))
        return result | {"steps_per_s": result["steps_per_s"] * count}

    async def connect(self, kind: str, url: str, seconds: float, warmup_s: float) -> Result:
        """Connect, reset, close, again and again."""

        async def once() -> None:
            async with self._side.client(kind, url) as env:
                await env.reset()

        await _repeated(once, warmup_s)
        result = rates(await _repeated(once, seconds))
        return {"connect_ms": result["p50_ms"], "connect_p99_ms": result["p99_ms"]}

    async def first(self, kind: str, url: str) -> Result:
        """Connect, reset and do one step."""
        async with self._side.client(kind, url) as env:
            await env.reset()
            await env.step(self._side.move())
        return {}

    async def memory(self, kind: str, url: str, count: int, pid: int) -> Result:
        """Read the server's memory before there is any session, and with `count` of them after their reset."""
        await asyncio.sleep(SETTLE_S)
        idle = resident_mb(pid)
        async with AsyncExitStack() as stack:
            await self.opened(stack, kind, url, count)
            await asyncio.sleep(SETTLE_S)
            full = resident_mb(pid)
        return {"idle_mb": idle, "session_kb": (full - idle) * 1000 / count}

    async def opened(self, stack: AsyncExitStack, kind: str, url: str, count: int) -> list[Any]:
        """Connect and reset that many sessions, a few at a time."""
        gate = asyncio.Semaphore(OPENING_AT_ONCE)

        async def open_one() -> Any:
            async with gate:
                env = await stack.enter_async_context(self._side.client(kind, url))
                await env.reset()
                return env

        return await asyncio.gather(*(open_one() for _ in range(count)))

    def _checked(self, kind: str, result: Any) -> str:
        """Return what type the content came as. Raises RuntimeError where it is not what was sent."""
        found = self._side.content(getattr(result, "observation", result))
        if found is None:
            return ""
        used, content = found
        if content != (payload.image() if kind == payload.IMAGE else payload.floats(kind)):
            raise RuntimeError(f"an observation of {kind} did not arrive as it was sent")
        return str(used)


async def _repeated(call: Callable[[], Awaitable[Any]], seconds: float) -> list[float]:
    """Await a call again and again; return how long each took."""
    durations = []
    end = clock() + seconds
    while (began := clock()) < end:
        await call()
        durations.append(clock() - began)
    return durations


def _repeated_blocking(call: Callable[[], Any], seconds: float) -> list[float]:
    durations = []
    end = clock() + seconds
    while (began := clock()) < end:
        call()
        durations.append(clock() - began)
    return durations


def rates(durations: list[float], seconds: float | None = None) -> Result:
    """Return rate and latencies of calls that began within `seconds`; None: that followed each other without a pause."""
    elapsed_s = sum(durations) if seconds is None else seconds
    durations.sort()
    count = len(durations)
    p50, p99 = (durations[min(count - 1, int(count * share))] * 1000 for share in (0.5, 0.99))
    return {"steps_per_s": count / elapsed_s, "p50_ms": p50, "p99_ms": p99}


def main(name: str) -> None:
    allow_many_sockets()
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what the packages print does not mix with the replies
    side = importlib.import_module(f"{name}.client")
    try:
        import uvloop
    except ImportError:
        loop, factory = "asyncio", None
    else:
        loop, factory = f"uvloop {version('uvloop')}", uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        load = Load(side, runner)
        python = ".".join(map(str, sys.version_info[:3]))
        replies.write(json.dumps({"package": side.PACKAGE, "loop": loop, "python": python}) + "\n")
        for line in sys.stdin:
            try:
                answer = load.carry_out(json.loads(line))
            except Exception as error:
                answer = {"error": f"{type(error).__name__}: {error}"}
            replies.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
