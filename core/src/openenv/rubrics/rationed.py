"""A language model that is asked sparingly."""

from __future__ import annotations

import asyncio
import random
import threading
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from ..errors import BudgetSpent, UsageError
from .answers import Answers
from .turnstile import Turnstile

if TYPE_CHECKING:
    from ..llm.client import LLMClient

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
RETRIED_STATUSES = frozenset({408, 409, 429})
"""HTTP statuses below 500 that say "not now"; from 500 on all do. (RFC 9110; 409 as the vendors' SDKs take it.)"""


class RationedClient:
    """Wraps a client's `complete` in a cache, a cap on calls at once, a budget, and retries.

    One may serve many judges, in any number of threads and event loops of a process; the limits are then theirs together.

    Args:
        client: the model.
        cache_size: answers kept, so that the same prompt with the same options is asked once. 0, the default, keeps none.
        max_concurrency: calls of the client at once; further ones wait. None, the default, sets no limit.
        max_calls: calls of the client altogether, retries included; then `BudgetSpent`. None sets no limit.
        max_tokens: tokens in and out altogether, as the client's `usage` counts them; what is underway when they are
            reached ends, and then `BudgetSpent`. None sets no limit.
        max_attempts: calls for one answer where they fail in a way that passes: errors that say `retryable`, lost
            connections, timeouts. Between them a pause that doubles from half a second, or as the endpoint asks.
        timeout_s: longest wait for one call; None leaves it to the client.

    Raises:
        UsageError: `max_tokens` for a client that counts no tokens, or a number that makes no sense.
    """

    def __init__(
        self,
        client: LLMClient,
        *,
        cache_size: int = 0,
        max_concurrency: int | None = None,
        max_calls: int | None = None,
        max_tokens: int | None = None,
        max_attempts: int = 3,
        timeout_s: float | None = None,
    ) -> None:
        if max_attempts < 1 or (max_concurrency is not None and max_concurrency < 1):
            raise UsageError("max_attempts and max_concurrency must be at least 1")
        if max_tokens is not None and not hasattr(client, "usage"):
            raise UsageError(f"max_tokens needs a client that counts them in `usage`, which {type(client).__name__} has not")
        self.client = client
        self.calls = 0
        self._answers = Answers(cache_size)
        self._gate = nullcontext() if max_concurrency is None else Turnstile(max_concurrency)
        self._max_calls = max_calls
        self._max_tokens = max_tokens
        self._max_attempts = max_attempts
        self._timeout_s = timeout_s
        self._turn = threading.Lock()
        self._jitter = random.Random()

    async def complete(self, prompt: str, **kwargs: Any) -> str:
        """Return the model's answer.

        Raises:
            BudgetSpent: the answer is not kept, and no further call may be made.
            Exception: what the client raised last.
        """

        async def ask() -> str:
            return await self._ask(prompt, kwargs)

        return await self._answers.get((prompt, repr(sorted(kwargs.items()))), ask)

    async def _ask(self, prompt: str, options: dict[str, Any]) -> str:
        for attempt in range(1, self._max_attempts + 1):
            try:
                async with self._gate:
                    self._count()
                    async with asyncio.timeout(self._timeout_s):
                        return await self.client.complete(prompt, **options)
            except Exception as error:
                if attempt == self._max_attempts or not _passes(error):
                    raise
                pause_s = self._pause_s(attempt, error)
            await asyncio.sleep(pause_s)
        raise AssertionError("the last attempt returns or raises")

    def _count(self) -> None:
        with self._turn:
            if self._max_calls is not None and self.calls >= self._max_calls:
                raise BudgetSpent(f"the budget of {self._max_calls} calls is spent")
            if self._max_tokens is not None and (used := self.client.usage.total_tokens) >= self._max_tokens:
                raise BudgetSpent(f"the budget of {self._max_tokens} tokens is spent: {used} were used")
            self.calls += 1

    def _pause_s(self, attempt: int, error: Exception) -> float:
        asked: float | None = getattr(error, "retry_after_s", None)
        if asked is not None:
            return min(asked, LONGEST_PAUSE_S)
        longest_s: float = min(FIRST_PAUSE_S * 2 ** (attempt - 1), LONGEST_PAUSE_S)
        return longest_s * self._jitter.uniform(0.5, 1.0)


def _passes(error: Exception) -> bool:
    """Whether the same call may succeed later."""
    if getattr(error, "retryable", False) or isinstance(error, ConnectionError | TimeoutError):
        return True
    status = getattr(error, "status_code", None)
    return isinstance(status, int) and (status in RETRIED_STATUSES or status >= 500)
