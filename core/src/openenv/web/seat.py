"""The playground's place among the sessions of a registry."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from ..client.local import submit
from ..sessions.registry import Registry
from ..sessions.session import Session
from ..wire import messages
from ..wire.messages import Request


@dataclass(frozen=True)
class Played:
    """What came of a reset or a step.

    Attributes:
        reply: `observation`, `reward`, `done`, and `metadata` where there is any.
        state: of the environment after it.
        drawing: HTML of the observation, None where the environment draws none.
        suggestions: labels and actions that the environment offers for one click.
    """

    reply: dict[str, Any]
    state: dict[str, Any]
    drawing: str | None
    suggestions: list[tuple[str, dict[str, Any]]]


class Seat:
    """One session of a registry, begun when first needed; used on the registry's own event loop.

    Args:
        registry: whose slots, isolation, limits and mode count here as for everybody.
        idle_timeout_s: the session ends, and its slot is free, after so long without a call; None for the setting.
    """

    def __init__(self, registry: Registry, idle_timeout_s: float | None = None) -> None:
        self.registry = registry
        self._idle_timeout_s = idle_timeout_s
        self._session: Session | None = None
        self._turn = asyncio.Lock()

    async def play(self, kind: str, data: dict[str, Any]) -> Played:
        """Reset or step, and ask how things stand then; one call at a time.

        Raises:
            OpenEnvError: what a client would have been answered.
        """
        async with self._turn:
            if self._session is None or (self._session.ended and kind == messages.RESET):
                self._session = self.registry.begin(self._idle_timeout_s)
            reply = await _ask(self._session, kind, data)
            state = await _ask(self._session, messages.STATE)
            seen = {**reply["observation"], "reward": reply["reward"], "done": reply["done"]}
            page = await _ask(self._session, messages.PAGE, seen)
        return Played(reply, state, page["html"], [(label, action) for label, action in page["actions"]])


class SeatElsewhere(Seat):
    """A seat whose registry runs on the loop that this process's local clients share, for callers on any other loop."""

    async def play(self, kind: str, data: dict[str, Any]) -> Played:
        return await asyncio.wrap_future(submit(super().play(kind, data)))


async def _ask(session: Session, kind: str, data: dict[str, Any] | None = None) -> Any:
    return json.loads(await session.call(Request(kind, data)))
