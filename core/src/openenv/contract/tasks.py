"""Tasks that an environment offers by split: what datasets and curricula hang on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict


@runtime_checkable
class TaskProvider(Protocol):
    """An environment with tasks; it writes these methods beside `reset` and `step`, each of its own free choice.

    A task is whatever JSON can carry, or a pydantic model; `reset(task=…)` gives one back to the environment. The methods
    may be called before the first `reset` and change nothing. An environment that leaves one out does not offer it.
    """

    def list_splits(self) -> list[Any]:
        """Return the splits: names, or dicts of `name` and `type` (`train`, `validation`, `test`)."""

    def list_tasks(self, split: str) -> list[Any]:
        """Return every task of a split. Raise `ValueError` for a split that is not there, here and below."""

    def num_tasks(self, split: str) -> int:
        """Return how many tasks a split has."""

    def get_task(self, split: str, index: int) -> Any:
        """Return one task. Raise `IndexError` where there is none of that index."""

    def get_task_range(self, split: str, start: int | None = None, stop: int | None = None) -> list[Any]:
        """Return the tasks of a slice, `stop` excluded, with the meanings that Python's slices give to None and below 0."""


SPLIT_TYPES = ("train", "test")
"""Splits of these names have that type unless they say another; every other name has `OTHER_SPLIT_TYPE`."""

OTHER_SPLIT_TYPE = "validation"


class TaskSplit(BaseModel):
    """A split as users see it."""

    model_config = ConfigDict(extra="allow")

    name: str
    type: str


def read_split(given: Any) -> TaskSplit:
    """Return a split that an environment gave as a name, as a dict or as a model."""
    if isinstance(given, BaseModel):
        given = given.model_dump(mode="json")
    fields = dict(given) if isinstance(given, dict) else {"name": str(given)}
    fields.setdefault("type", fields.get("name") if fields.get("name") in SPLIT_TYPES else OTHER_SPLIT_TYPE)
    return TaskSplit.model_validate(fields)


def read_splits(given: Iterable[Any]) -> list[TaskSplit]:
    """Return splits in the order in which an environment gave them."""
    return [read_split(split) for split in given]


class _TaskRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    split: str


class ListTasksRequest(_TaskRequest):
    """Body of `POST /<environment>/tasks`."""


class NumTasksRequest(_TaskRequest):
    """Body of `POST /<environment>/num_tasks`."""


class GetTaskRequest(_TaskRequest):
    """Body of `POST /<environment>/task`."""

    index: int


class GetTaskRangeRequest(_TaskRequest):
    """Body of `POST /<environment>/task_range`."""

    start: int | None = None
    stop: int | None = None


TASK_CALLS: dict[str, type[_TaskRequest] | None] = {
    "list_splits": None,
    "list_tasks": ListTasksRequest,
    "num_tasks": NumTasksRequest,
    "get_task": GetTaskRequest,
    "get_task_range": GetTaskRangeRequest,
}
"""The methods of `TaskProvider`, each with what it takes."""

TASK_PATHS = {
    "list_splits": "splits",
    "list_tasks": "tasks",
    "num_tasks": "num_tasks",
    "get_task": "task",
    "get_task_range": "task_range",
}
"""The last part of the path that each has over HTTP, after the environment's name."""
