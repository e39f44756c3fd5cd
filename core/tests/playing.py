"""Both worlds of the client behind one face, for tests that do the same in each."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import Any, Self

from journal import JournalEnv, Note, Page

from openenv import State, StepResult


class Player:
    """A client of `Journal`, called from a test that is not a coroutine.

    Args:
        url: the server's base URL.
        awaited: call it in an event loop of its own; else its calls block.
        options: of the client.
    """

    def __init__(self, url: str, *, awaited: bool, **options: Any) -> None:
        self.client = JournalEnv(base_url=url, **options)
        self._runner = asyncio.Runner() if awaited else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def reset(self, name: str, **options: Any) -> StepResult[Page]:
        """Start an episode."""
        return self._do("reset", episode_id=name, **options)  # type: ignore[no-any-return]

    def step(self, number: int, timeout_s: float | None = None, **fields: Any) -> StepResult[Page]:
        """Write a number down."""
        return self._do("step", Note(number=number, **fields), timeout_s=timeout_s)  # type: ignore[no-any-return]

    def state(self) -> State:
        """Return where the episode stands."""
        return self._do("state")  # type: ignore[no-any-return]

    def gather(self, numbers: list[int], **fields: Any) -> list[StepResult[Page]]:
        """Write numbers down, all at once where calls are awaited."""
        if self._runner is None:
            return [self.step(number, **fields) for number in numbers]

        async def all_at_once() -> list[StepResult[Page]]:
            return await asyncio.gather(*(self.client.step(Note(number=number, **fields)) for number in numbers))

        return self._runner.run(all_at_once())

    def rest(self, seconds: float) -> None:
        """Let time pass, in the client's loop where it has one."""
        if self._runner is None:
            time.sleep(seconds)
        else:
            self._runner.run(asyncio.sleep(seconds))

    def close(self) -> None:
        """End the session."""
        try:
            self._do("close")
        finally:
            if self._runner is not None:
                self._runner.close()

    def _do(self, method: str, *arguments: Any, **options: Any) -> Any:
        if self._runner is None:
            return getattr(self.client.sync(), method)(*arguments, **options)

        async def call() -> Any:
            return await getattr(self.client, method)(*arguments, **options)

        return self._runner.run(call())
