"""Observations, states and errors as the `data` of a JSON message, and back.

Beside an observation's own fields stand `reward` and `done`, and where there is something to say `metadata`,
`terminated` and `truncated`.
"""

from __future__ import annotations

import math
from typing import Any, Generic, TypeVar

import pydantic_core
from pydantic import BaseModel

from ..contract.models import Observation, declared_flags
from ..contract.result import StepResult
from ..errors import OpenEnvError, from_code
from .arrays import to_plain
from .validation import Reader

ObsT = TypeVar("ObsT")

_JSON_BOOL = {None: b"null", True: b"true", False: b"false"}
_beside: dict[type, set[str]] = {}


def _fields_beside(model: type[BaseModel]) -> set[str]:
    """The fields of an observation that travel beside it; every other field travels inside."""
    names = _beside.get(model)
    if names is None:
        names = _beside[model] = {"reward", "done", "terminated", "truncated"} - declared_flags(model)
    return names


def observation_data(observation: Observation, *, null_metadata: bool = False) -> bytes:
    """Return the JSON of an observation reply's `data`.

    Args:
        observation: what the environment returned.
        null_metadata: write `"metadata":null` where there is none, as HTTP replies do; sockets leave it out.

    Raises:
        ValueError: a value that JSON cannot carry (text with lone surrogates, an unknown type).
    """
    model = type(observation)
    beside = _fields_beside(model)
    inside = model.__pydantic_serializer__.to_json(observation, exclude=beside, fallback=to_plain)
    parts = [b'{"observation":', inside, b',"reward":', _scalar(observation.reward), b',"done":']
    parts.append(_JSON_BOOL[bool(observation.done)])
    if observation.metadata:
        parts += (b',"metadata":', pydantic_core.to_json(observation.metadata, inf_nan_mode="null", fallback=to_plain))
    elif null_metadata:
        parts.append(b',"metadata":null')
    for flag in ("terminated", "truncated"):
        if flag in beside and (value := getattr(observation, flag)) is not None:
            parts.append(b',"%s":%s' % (flag.encode(), _JSON_BOOL[value]))
    parts.append(b"}")
    return b"".join(parts)


def _scalar(value: Any) -> bytes:
    kind = type(value)
    if kind is float:
        return repr(value).encode() if math.isfinite(value) else b"null"
    if value is None or kind is bool:
        return _JSON_BOOL[value]
    return pydantic_core.to_json(value, inf_nan_mode="null", fallback=to_plain)


def model_data(model: BaseModel) -> bytes:
    """Return the JSON of a state or another plain model. Raises `ValueError` as `observation_data` does."""
    return type(model).__pydantic_serializer__.to_json(model, fallback=to_plain)


def encode(value: Any) -> bytes:
    """Return the JSON of a reply's `data` in version 1: an observation's, a state's, or plain data's.

    Raises:
        ValueError: a value that JSON cannot carry (text with lone surrogates, an unknown type).
    """
    if isinstance(value, Observation):
        return observation_data(value)
    return (
        model_data(value)
        if isinstance(value, BaseModel)
        else pydantic_core.to_json(value, inf_nan_mode="null", fallback=to_plain)
    )


def encode_http(value: Any) -> bytes:
    """As `encode`, with `"metadata":null` where there is none, as HTTP replies have it."""
    return observation_data(value, null_metadata=True) if isinstance(value, Observation) else encode(value)


def dump_plain(value: Any) -> bytes:
    """Return an action or arguments as JSON. Raises ValueError for what JSON cannot carry."""
    if not isinstance(value, BaseModel):
        return pydantic_core.to_json(value, inf_nan_mode="null", fallback=to_plain)
    unsaid = None if getattr(value, "metadata", True) else {"metadata"}
    return type(value).__pydantic_serializer__.to_json(value, exclude=unsaid, fallback=to_plain)


def error_data(error: OpenEnvError) -> bytes:
    """Return the JSON of an error reply's `data`: `message`, `code`, and what else the error knows."""
    content = {"message": error.message, "code": error.code or "EXECUTION_ERROR", **error.details}
    return pydantic_core.to_json(content, inf_nan_mode="null", serialize_unknown=True)


def read_error(data: Any) -> OpenEnvError:
    """Return the exception that an error reply stands for."""
    content = dict(data) if isinstance(data, dict) else {"message": str(data)}
    message = str(content.pop("message", "the server gave no reason"))
    code = str(content.pop("code", "EXECUTION_ERROR"))
    return from_code(code, message, **{str(name): value for name, value in content.items()})


class ResultReader(Generic[ObsT]):
    """Reads the `data` of observation replies into typed results; made once a client class.

    Args:
        model: the observation's class. One that has no `reward`, `done`, … of its own is read without them.
    """

    def __init__(self, model: type[ObsT]) -> None:
        self._read = Reader(model, null_is_nan=True).read
        fields = getattr(model, "model_fields", {})
        own = declared_flags(model) if issubclass(model, BaseModel) else frozenset()
        self._merged = [name for name in ("reward", "done", "terminated", "truncated") if name in fields and name not in own]

    def read(self, data: dict[str, Any]) -> StepResult[ObsT]:
        """Return the result. Raises `InvalidActionError` where the observation does not fit its class."""
        inside = data.get("observation")
        if isinstance(inside, dict):
            for name in self._merged:
                if name in data:
                    inside[name] = data[name]
        return plain_result(self._read(inside), data)


def plain_result(observation: ObsT, data: dict[str, Any]) -> StepResult[ObsT]:
    """Return a result of an observation that needs no reading, and what stands beside it in `data`."""
    get = data.get
    metadata = get("metadata")
    if metadata is None and isinstance(observation, Observation):
        metadata = observation.metadata or None
    result = StepResult(observation, get("reward"), bool(get("done")), metadata)
    if "terminated" in data or "truncated" in data:
        result.terminated, result.truncated = get("terminated"), get("truncated")
    return result
