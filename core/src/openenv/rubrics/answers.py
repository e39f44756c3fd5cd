"""Answers that need not be asked for again."""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import Future


class Answers:
    """The most recently used answers, and the questions being asked: who asks the same meanwhile waits for that answer.

    Usable from several event loops at once. A failure is told to all who wait for it, and not kept.

    Args:
        size: how many answers are kept; 0 keeps none, and every question is asked.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._turn = threading.Lock()
        self._kept: OrderedDict[Hashable, str] = OrderedDict()
        self._asked: dict[Hashable, Future[None]] = {}

    async def get(self, question: Hashable, ask: Callable[[], Awaitable[str]]) -> str:
        """Return the answer to a question, calling `ask` where it is neither kept nor on its way."""
        if self.size <= 0:
            return await ask()
        while True:
            with self._turn:
                if question in self._kept:
                    self._kept.move_to_end(question)
                    return self._kept[question]
                underway = self._asked.get(question)
                if underway is None:
                    mine = self._asked[question] = Future()
                    break
            await asyncio.shield(asyncio.wrap_future(underway))
        return await self._ask(question, ask, mine)

    async def _ask(self, question: Hashable, ask: Callable[[], Awaitable[str]], mine: Future[None]) -> str:
        try:
            answer = await ask()
        except BaseException as error:
            with self._turn:
                del self._asked[question]
            if isinstance(error, Exception):
                mine.set_exception(error)
            else:
                mine.set_result(None)
            raise
        with self._turn:
            del self._asked[question]
            self._kept[question] = answer
            while len(self._kept) > self.size:
                self._kept.popitem(last=False)
        mine.set_result(None)
        return answer
