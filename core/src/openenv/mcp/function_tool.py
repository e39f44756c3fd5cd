"""A typed function as a tool."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, get_type_hints
from weakref import WeakKeyDictionary

import pydantic_core
from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from ..contract.tools import ToolResult
from .failures import ToolFailure, failed_in, wrong_arguments

PREFIX = "argument_"
"""Before the names of the fields that check arguments, so that any name may be a parameter's."""


class FunctionTool:
    """Checks arguments against a function's type hints and calls it; its docstring is the tool's description.

    Raises:
        ValueError: the function has no name of its own, takes `*args` or `**kwargs`, or has hints that say nothing.
    """

    def __init__(self, function: Callable[..., Any], name: str | None = None) -> None:
        self.function = function
        self.name = str(name or getattr(function, "__name__", ""))
        if not self.name.isidentifier():
            raise ValueError(f"a tool needs a name: {function!r} has none")
        self.description = inspect.getdoc(function) or ""
        self.is_async = inspect.iscoroutinefunction(function)
        self._arguments, self.input_schema = _looked_up(self.name, function)

    def described(self) -> dict[str, Any]:
        """Return the tool as MCP lists it."""
        return {"name": self.name, "description": self.description, "inputSchema": self.input_schema}

    def prepared(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return what the function is called with. Raises `ToolFailure` where the arguments do not fit."""
        try:
            model = self._arguments.model_validate(arguments)
        except ValidationError as error:
            told = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False))
            raise wrong_arguments(f"{self.name} does not take these arguments: {told}") from None
        return {field.removeprefix(PREFIX): getattr(model, field) for field in model.model_fields_set}

    def call(self, arguments: dict[str, Any]) -> ToolResult:
        """Call a function that is not async. Raises `ToolFailure`."""
        prepared = self.prepared(arguments)
        try:
            value = self.function(**prepared)
        except Exception as error:
            raise self._failed(error) from error
        return self._result(value)

    async def call_async(self, arguments: dict[str, Any]) -> ToolResult:
        """Call the function, and await it where it is async. Raises `ToolFailure`."""
        prepared = self.prepared(arguments)
        try:
            value = self.function(**prepared)
            if inspect.isawaitable(value):
                value = await value
        except Exception as error:
            raise self._failed(error) from error
        return self._result(value)

    def _failed(self, error: Exception) -> ToolFailure:
        return error if isinstance(error, ToolFailure) else failed_in(self.name, error)

    def _result(self, value: Any) -> ToolResult:
        try:
            return plain_result(value)
        except ValueError as error:
            raise failed_in(self.name, ValueError(f"what it returned cannot be sent: {error}")) from None


def plain_result(value: Any) -> ToolResult:
    """Return what a function returned as a tool's result. Raises `ValueError` for what cannot be sent."""
    if isinstance(value, ToolResult):
        return value
    if value is None:
        return ToolResult()
    data = pydantic_core.to_jsonable_python(value)
    text = data if isinstance(data, str) else pydantic_core.to_json(data, inf_nan_mode="strings").decode()
    structured = data if isinstance(data, dict) else {"result": data}
    return ToolResult(content=[{"type": "text", "text": text}], structured_content=structured, data=data)


_known: WeakKeyDictionary[Any, dict[tuple[str, bool], tuple[type[BaseModel], dict[str, Any]]]] = WeakKeyDictionary()
"""What was made of functions before: the methods of a class are the same ones for all its instances."""


def _looked_up(name: str, function: Callable[..., Any]) -> tuple[type[BaseModel], dict[str, Any]]:
    """Return the model of a function's arguments, and its schema."""
    inner, variant = getattr(function, "__func__", function), (name, inspect.ismethod(function))
    found = _known.setdefault(inner, {}).get(variant)
    if found is None:
        model = _arguments_model(name, function)
        found = _known[inner][variant] = (model, _schema(model))
    return found


def _arguments_model(name: str, function: Callable[..., Any]) -> type[BaseModel]:
    try:
        hints = get_type_hints(function, include_extras=True)
    except (NameError, TypeError) as error:
        raise ValueError(f"the type hints of tool {name} cannot be read: {error}") from None
    fields: dict[str, Any] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise ValueError(f"tool {name} has the parameter {parameter}, but a tool's arguments all have names")
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[PREFIX + parameter.name] = (hints.get(parameter.name, Any), default)
    config = ConfigDict(
        extra="forbid", arbitrary_types_allowed=True, alias_generator=lambda field: field.removeprefix(PREFIX), title=name
    )
    model: type[BaseModel] = create_model(f"{name}_arguments", __config__=config, **fields)
    return model


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    schema.pop("title", None)
    for field in schema.setdefault("properties", {}).values():
        field.pop("title", None)
    return schema
