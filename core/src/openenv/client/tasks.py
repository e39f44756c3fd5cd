"""A client's calls that list the tasks an environment offers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable
from operator import itemgetter
from typing import Any, TypeVar

from ..contract.tasks import TaskSplit, read_splits

T = TypeVar("T")


def _splits(data: dict[str, Any]) -> list[TaskSplit]:
    return read_splits(data["splits"])


_TASKS: Callable[[dict[str, Any]], list[Any]] = itemgetter("tasks")
_TASK: Callable[[dict[str, Any]], Any] = itemgetter("task")
_NUMBER: Callable[[dict[str, Any]], int] = itemgetter("num_tasks")


class TaskCalls:
    """Lists tasks; each is what the environment gave, as plain data, and goes back to it with `reset(task=…)`.

    Needs no `reset` before. All of these raise `NotSupportedError` where the environment does not offer them, or the server
    only speaks version 1 of the socket: `transport="http"` reaches the tasks there. All raise `InvalidActionError` for a
    split or an index that is not there.
    """

    def list_splits(self, *, timeout_s: float | None = None) -> Awaitable[list[TaskSplit]]:
        """Return the splits, each with `name` and `type`."""
        return self._ask("list_splits", {}, timeout_s, _splits)

    def list_tasks(self, split: str, *, timeout_s: float | None = None) -> Awaitable[list[Any]]:
        """Return every task of a split."""
        return self._ask("list_tasks", {"split": split}, timeout_s, _TASKS)

    def num_tasks(self, split: str, *, timeout_s: float | None = None) -> Awaitable[int]:
        """Return how many tasks a split has."""
        return self._ask("num_tasks", {"split": split}, timeout_s, _NUMBER)

    def get_task(self, split: str, index: int, *, timeout_s: float | None = None) -> Awaitable[Any]:
        """Return one task."""
        return self._ask("get_task", {"split": split, "index": index}, timeout_s, _TASK)

    def get_task_range(
        self, split: str, start: int | None = None, stop: int | None = None, *, timeout_s: float | None = None
    ) -> Awaitable[list[Any]]:
        """Return the tasks of a slice, `stop` excluded."""
        return self._ask("get_task_range", {"split": split, "start": start, "stop": stop}, timeout_s, _TASKS)

    @abstractmethod
    def _ask(
        self, call: str, arguments: dict[str, Any], timeout_s: float | None, parse: Callable[[dict[str, Any]], T]
    ) -> Awaitable[T]:
        """Call one of the environment's task methods."""


class BlockingTaskCalls:
    """As `TaskCalls`, typed for blocking use."""

    def list_splits(self, *, timeout_s: float | None = None) -> list[TaskSplit]:
        """See `TaskCalls.list_splits`."""
        return self._ask("list_splits", {}, timeout_s, _splits)

    def list_tasks(self, split: str, *, timeout_s: float | None = None) -> list[Any]:
        """See `TaskCalls.list_tasks`."""
        return self._ask("list_tasks", {"split": split}, timeout_s, _TASKS)

    def num_tasks(self, split: str, *, timeout_s: float | None = None) -> int:
        """See `TaskCalls.num_tasks`."""
        return self._ask("num_tasks", {"split": split}, timeout_s, _NUMBER)

    def get_task(self, split: str, index: int, *, timeout_s: float | None = None) -> Any:
        """See `TaskCalls.get_task`."""
        return self._ask("get_task", {"split": split, "index": index}, timeout_s, _TASK)

    def get_task_range(
        self, split: str, start: int | None = None, stop: int | None = None, *, timeout_s: float | None = None
    ) -> list[Any]:
        """See `TaskCalls.get_task_range`."""
        return self._ask("get_task_range", {"split": split, "start": start, "stop": stop}, timeout_s, _TASKS)

    @abstractmethod
    def _ask(self, call: str, arguments: dict[str, Any], timeout_s: float | None, parse: Callable[[dict[str, Any]], T]) -> T:
        """Call one of the environment's task methods."""
