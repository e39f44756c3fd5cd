"""Actions from plain data and observations as plain data, for programs that carry them by ways of their own."""

from __future__ import annotations

from typing import Any, TypeVar, get_origin

import pydantic_core

from ..contract.models import Action, Observation
from .replies import reply_data

ActT = TypeVar("ActT", bound=Action)


def serialize_observation(observation: Observation) -> dict[str, Any]:
    """Return an observation as replies carry it: `observation`, `reward`, `done`, and `metadata` where there is any."""
    data: dict[str, Any] = reply_data(observation, as_json=True)
    return data


def deserialize_action(action_data: dict[str, Any], action_cls: type[ActT]) -> ActT:
    """Return plain data as an action. Raises pydantic's `ValidationError` where it does not fit."""
    return action_cls.model_validate(action_data)


def deserialize_action_with_preprocessing(action_data: dict[str, Any], action_cls: type[ActT]) -> ActT:
    """As `deserialize_action`, for data from a form: text where a list or a map is due is read as JSON."""
    return action_cls.model_validate(from_form(action_data, action_cls))


def from_form(action_data: dict[str, Any], action_cls: type[Action]) -> dict[str, Any]:
    """Return an action's data with the text that a form gave for lists and maps read as JSON; nothing is validated."""
    return {name: _from_form(value, action_cls, name) for name, value in action_data.items()}


def _from_form(value: Any, action_cls: type[Action], name: str) -> Any:
    field = action_cls.model_fields.get(name)
    if field is None or not isinstance(value, str):
        return value
    container = get_origin(field.annotation) or field.annotation
    if not (isinstance(container, type) and issubclass(container, list | tuple | dict | set)):
        return value
    try:
        return pydantic_core.from_json(value) if value.strip() else container()
    except ValueError:
        return value
