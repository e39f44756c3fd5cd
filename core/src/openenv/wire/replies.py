"""What environments return as the plain `data` of replies, and its encoding."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import pydantic_core
from pydantic import BaseModel

from ..contract.models import Observation, declared_flags
from ..errors import ExecutionError, OpenEnvError
from .plain import copied_fields, plain_fields


def reply_data(value: Any, *, as_json: bool) -> Any:
    """Return what an environment returned as the plain `data` of its reply."""
    model: Any = type(value)
    beside, flags, names = _shape(model)
    if beside is None:
        return _other_data(value, as_json=as_json)
    inside = None if as_json or value.metadata else copied_fields(value, names)
    if inside is None:
        inside = model.__pydantic_serializer__.to_python(value, mode="json" if as_json else "python", exclude=beside)
    data = {"observation": inside, "reward": value.reward, "done": value.done}
    if value.metadata:
        data["metadata"] = inside.get("metadata")
    for flag in flags:
        if (said := getattr(value, flag)) is not None:
            data[flag] = said
    return data


def _other_data(value: Any, *, as_json: bool) -> Any:
    """As `reply_data`, of what is no observation."""
    if isinstance(value, Continued):
        return _continued_data(value, as_json=as_json)
    if isinstance(value, OpenEnvError):
        return {"error": error_content(value)}
    if isinstance(value, BaseModel):
        return value.__pydantic_serializer__.to_python(value, mode="json" if as_json else "python")
    return value


class Continued(NamedTuple):
    """What a step gave that ended an episode where the next one began at once.

    Attributes:
        first: the next episode's first observation.
        last: the ended one's last.
    """

    first: Observation
    last: Observation


def _continued_data(value: Continued, *, as_json: bool) -> Any:
    """Return the next episode's observation with the last step's reward and end, and that step's whole result as `final`."""
    first, last = (reply_data(observation, as_json=as_json) for observation in value)
    return {**last, "observation": first["observation"], "metadata": first.get("metadata"), "final": last}


@cache
def _shape(kind: type) -> tuple[set[str] | None, tuple[str, ...], tuple[str, ...]]:
    """Which fields travel beside an observation, which of them only where they are said, and those inside if they are plain.

    No set for what is no observation.
    """
    if not issubclass(kind, Observation):
        return None, (), ()
    own = declared_flags(kind)
    flags = tuple(flag for flag in ("terminated", "truncated") if flag not in own)
    beside = {"reward", "done", *flags}
    return beside, flags, plain_fields(kind, beside)


def error_content(error: OpenEnvError) -> dict[str, Any]:
    """Return an error as plain `data`."""
    details = pydantic_core.to_jsonable_python(error.details, serialize_unknown=True)
    return {"message": error.message, "code": error.code or "EXECUTION_ERROR", **details}


def encode(value: Any, dump: Callable[[Any], bytes]) -> bytes:
    """Dump the Python values of a reply, or what the model's JSON serializers make of types that only they know."""
    try:
        return dump(reply_data(value, as_json=False))
    except ValueError as error:
        try:
            return dump(reply_data(value, as_json=True))
        except ValueError:
            raise error from None


def encode_all(values: list[Any], dump: Callable[[Any], bytes]) -> bytes:
    """Dump what lanes returned; where something cannot be sent, that lane alone gets an error."""
    try:
        return dump([reply_data(value, as_json=False) for value in values])
    except ValueError:
        return dump([_sendable(value, dump) for value in values])


def _sendable(value: Any, dump: Callable[[Any], bytes]) -> Any:
    for as_json in (False, True):
        data = reply_data(value, as_json=as_json)
        try:
            dump(data)
        except ValueError as error:
            told = f"what the environment gave cannot be sent: {error}"
        else:
            return data
    return {"error": error_content(ExecutionError(told))}
