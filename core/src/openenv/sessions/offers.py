"""What an environment tells of itself and of the tasks that it offers."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import pydantic_core

from ..contract.environment import describe
from ..contract.models import EnvironmentMetadata
from ..contract.tasks import TASK_CALLS, read_splits
from ..errors import InvalidActionError, NotSupportedError
from ..wire.arrays import to_plain
from ..wire.validation import Reader

CALL = "call"
"""Names the method of `TaskProvider` in a request for tasks; its arguments stand beside it."""


def tasks_of(environment: Any, data: Any) -> Any:
    """Call one of an environment's task methods and return the reply's data, or what gives it when awaited.

    Raises:
        NotSupportedError: the environment has no such method.
        InvalidActionError: `data` names none or lacks arguments, or there is no such split or task.
    """
    name, arguments = _read(data)
    method = getattr(environment, name, None)
    if not callable(method):
        raise _not_offered(name)
    return _run(partial(method, **arguments), name)


def metadata_of(environment: Any) -> Any:
    """Return what an environment says of itself as plain data, or what gives it when awaited."""
    return _then(environment.get_metadata(), _plain_metadata)


def _read(data: Any) -> tuple[str, dict[str, Any]]:
    fields = dict(data) if isinstance(data, dict) else {}
    name = fields.pop(CALL, None)
    if name not in TASK_CALLS:
        raise InvalidActionError(f"a request for tasks names one of {', '.join(TASK_CALLS)} as its {CALL!r}, not {name!r}")
    model = TASK_CALLS[name]
    if model is None:
        return name, {}
    return name, Reader(model).read(fields).model_dump()


def _run(call: Callable[[], Any], name: str) -> Any:
    try:
        value = call()
    except (ValueError, LookupError, NotImplementedError) as error:
        raise _refusal(name, error) from error
    return _awaited(value, name) if inspect.isawaitable(value) else _reply(name, value)


async def _awaited(value: Any, name: str) -> dict[str, Any]:
    try:
        return _reply(name, await value)
    except (ValueError, LookupError, NotImplementedError) as error:
        raise _refusal(name, error) from error


def _refusal(name: str, error: Exception) -> Exception:
    if isinstance(error, NotImplementedError):
        return _not_offered(name)
    if isinstance(error, IndexError):
        return InvalidActionError(f"Invalid task index: {error}")
    return InvalidActionError(f"{name}: {error}")


def _not_offered(name: str) -> NotSupportedError:
    return NotSupportedError(f"{name} is not supported for this environment")


def _reply(name: str, value: Any) -> dict[str, Any]:
    if name == "list_splits":
        return {"splits": [split.model_dump() for split in read_splits(value)]}
    if name == "num_tasks":
        return {"num_tasks": int(value)}
    plain = pydantic_core.to_jsonable_python(value, fallback=to_plain)
    return {"task" if name == "get_task" else "tasks": plain}


def _plain_metadata(value: Any) -> dict[str, Any]:
    return EnvironmentMetadata.model_validate(value, from_attributes=True).model_dump()


def _then(value: Any, change: Callable[[Any], Any]) -> Any:
    if not inspect.isawaitable(value):
        return change(value)

    async def later() -> Any:
        return change(await value)

    return later()


def load_environment_metadata(env: Any, env_name: str | None = None) -> EnvironmentMetadata:
    """Return what an environment, or its class, says of itself; `env_name` names one of which only the class is known."""
    if isinstance(env, type):
        return describe(env, env_name)
    return EnvironmentMetadata.model_validate(env.get_metadata(), from_attributes=True)
