"""Many environments on one connection, each call of which goes to all of them at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from numbers import Integral
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast

from ..contract.result import StepResult
from ..errors import OpenEnvError, UsageError
from ..wire import messages
from ..wire.values import read_error
from .transport import Call, seconds

if TYPE_CHECKING:
    from .base import EnvClient

ActT = TypeVar("ActT")
ObsT = TypeVar("ObsT")
StateT = TypeVar("StateT")
T = TypeVar("T")


class Lanes(Generic[ActT, ObsT, StateT]):
    """So many environments of one kind in one session, numbered from 0; made by `EnvClient.lanes`.

    Calls block or are awaited as those of `EnvClient` are. Each returns a list with one entry a lane, in the order of `lanes`
    where that is given: what the lane gave, or the `OpenEnvError` that it gave instead; the others are not touched by it.
    What goes wrong with a call as a whole is raised, as `EnvClient` raises it.

    Args:
        client: whose connection it is; it makes no other calls.
        count: how many lanes.
        autoreset: what follows an episode's end. See `EnvClient.lanes`.

    Raises:
        UsageError: the client has been used already, or an argument is not one.
    """

    def __init__(self, client: EnvClient[ActT, ObsT, StateT], count: int, autoreset: str) -> None:
        if type(count) is not int or count < 1:
            raise UsageError(f"lanes takes a whole number above 0, not {count!r}")
        if autoreset not in messages.AUTORESET:
            raise UsageError(f"autoreset is {', '.join(map(repr, messages.AUTORESET))}, not {autoreset!r}")
        self._client = client
        self._count = count
        self._all = list(range(count))
        self._begun: set[int] = set()
        first = Call(messages.LANES, {"count": count, "autoreset": autoreset}, client._message_timeout_s)
        client._connection.begin_with(first, self._begin_anew)

    def __len__(self) -> int:
        return self._count

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        lanes: Sequence[int] | None = None,
        timeout_s: float | None = None,
        **options: Any,
    ) -> Awaitable[list[StepResult[ObsT] | OpenEnvError]]:
        """Start an episode on each lane.

        Args:
            seed: a number gives lane i the seed `seed + i`; a list gives one for each of `lanes`; None leaves it open.
            lanes: which; None for all. The others go on with their episodes.
            timeout_s: seconds to wait; None for the client's `message_timeout_s`.
            options: what else the environment takes, the same for all.
        """
        chosen = self._chosen(lanes)
        seeds: Sequence[int | None]
        if seed is None or isinstance(seed, int | Integral):
            seeds = [None if seed is None else int(seed) + lane for lane in chosen]
        else:
            seeds = seed
        if len(seeds) != len(chosen):
            raise UsageError(f"{len(seeds)} seeds for {len(chosen)} lanes")
        data = [options if one is None else {**options, "seed": one} for one in seeds]

        def results(entries: Any) -> list[StepResult[ObsT] | OpenEnvError]:
            found = self._results(entries)
            self._begun.update(lane for lane, result in zip(chosen, found, strict=True) if isinstance(result, StepResult))
            return found

        return self._do(messages.RESET, data, chosen, timeout_s, results)

    def step(
        self, actions: Sequence[ActT], *, lanes: Sequence[int] | None = None, timeout_s: float | None = None
    ) -> Awaitable[list[StepResult[ObsT] | OpenEnvError]]:
        """Do one action on each lane.

        Args:
            actions: one for each of `lanes`.
            lanes: which; None for all.
            timeout_s: seconds to wait. Lanes that are not done by then have to be reset.

        Raises:
            UsageError: too few or too many actions, or a lane that was not reset yet.
        """
        chosen = self._chosen(lanes)
        if len(actions) != len(chosen):
            raise UsageError(f"{len(actions)} actions for {len(chosen)} lanes")
        if len(self._begun) < self._count and (never := [lane for lane in chosen if lane not in self._begun]):
            raise UsageError(f"reset() these lanes before their first step: {', '.join(map(str, never[:8]))}")
        return self._do(messages.STEP, self._client._payloads(actions), chosen, timeout_s, self._results)

    def state(
        self, *, lanes: Sequence[int] | None = None, timeout_s: float | None = None
    ) -> Awaitable[list[StateT | OpenEnvError]]:
        """Return where each lane's episode stands."""
        chosen = self._chosen(lanes)
        parse = self._client._parse_state
        return self._do(messages.STATE, [{}] * len(chosen), chosen, timeout_s, lambda entries: self._entries(entries, parse))

    def close(self) -> Awaitable[None]:
        """See `EnvClient.close`."""
        return self._client.close()

    def _do(
        self, kind: str, data: list[Any], lanes: list[int], timeout_s: float | None, parse: Callable[[Any], T]
    ) -> Awaitable[T]:
        client = self._client
        return client._do(kind, Call(kind, data, self._seconds(timeout_s), lanes), parse)

    def _seconds(self, timeout_s: float | None) -> float:
        return self._client._message_timeout_s if timeout_s is None else seconds(timeout_s)

    def _chosen(self, lanes: Sequence[int] | None) -> list[int]:
        if lanes is None:
            return self._all
        chosen = list(lanes)
        known = all(type(lane) is int and 0 <= lane < self._count for lane in chosen)
        if not chosen or not known or len(set(chosen)) < len(chosen):
            raise UsageError(f"lanes are different numbers from 0 to {self._count - 1}, not {chosen[:8]}")
        return chosen

    def _results(self, entries: Any) -> list[StepResult[ObsT] | OpenEnvError]:
        return self._entries(entries, self._client._parse_result)

    def _entries(self, entries: Any, parse: Callable[[dict[str, Any]], Any]) -> list[Any]:
        """Return what each entry stands for; one that cannot be read gives its error and leaves the others as they are."""
        found: list[Any] = []
        for entry in entries:
            try:
                if "error" in entry and len(entry) == 1:
                    found.append(read_error(entry["error"]))
                    continue
                value = parse(entry)
                if "final" in entry and isinstance(value, StepResult):
                    value.final = parse(entry["final"])
            except OpenEnvError as error:
                value = error
            found.append(value)
        return found

    def _begin_anew(self) -> None:
        """Every lane has to be reset: the session is new, or where its lanes stand is unknown."""
        self._begun.clear()

    def __enter__(self) -> Self:
        self._client._connection.open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._client._connection.close()

    async def __aenter__(self) -> Self:
        await self._client._connected()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client._connection.close_async()


class SyncLanes(Lanes[ActT, ObsT, StateT]):
    """`Lanes` typed for blocking use, inside a running event loop too."""

    def reset(self, **options: Any) -> list[StepResult[ObsT] | OpenEnvError]:  # type: ignore[override]
        """See `Lanes.reset`."""
        return cast("list[StepResult[ObsT] | OpenEnvError]", super().reset(**options))

    def step(self, actions: Sequence[ActT], **options: Any) -> list[StepResult[ObsT] | OpenEnvError]:  # type: ignore[override]
        """See `Lanes.step`."""
        return cast("list[StepResult[ObsT] | OpenEnvError]", super().step(actions, **options))

    def state(self, **options: Any) -> list[StateT | OpenEnvError]:  # type: ignore[override]
        """See `Lanes.state`."""
        return cast("list[StateT | OpenEnvError]", super().state(**options))

    def close(self) -> None:  # type: ignore[override]
        """See `EnvClient.close`."""
        self._client._connection.close()

    def _do(
        self, kind: str, data: list[Any], lanes: list[int], timeout_s: float | None, parse: Callable[[Any], T]
    ) -> Awaitable[T]:
        call = Call(kind, data, self._seconds(timeout_s), lanes)
        return cast("Awaitable[T]", self._client._do_blocking(call, parse))
