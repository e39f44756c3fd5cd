"""The fields of an action as a form shows them."""

from __future__ import annotations

from typing import Any

KINDS = {"integer": "number", "number": "number", "boolean": "checkbox"}


def action_fields(action_cls: type[Any]) -> list[dict[str, Any]]:
    """Return one entry for each field but `metadata`, as builders of pages (`gradio_builder`) are given them.

    Each has `name`, `type` (`text`, `number`, `checkbox` or `select`), `required`, `description`, `default_value`, `choices`,
    the limits `min_value`, `max_value`, `min_length`, `max_length` and `pattern` (None: no such limit), `placeholder` and
    `help_text`.
    """
    schema = action_cls.model_json_schema()
    required = schema.get("required", ())
    return [
        _field(name, _resolved(field, schema), name in required)
        for name, field in schema.get("properties", {}).items()
        if name != "metadata"
    ]


def _resolved(field: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """A field with what its reference names, as for an `Enum`."""
    reference = field.get("$ref", "").rpartition("/")[2]
    return {**schema.get("$defs", {}).get(reference, {}), **field}


def _field(name: str, field: dict[str, Any], required: bool) -> dict[str, Any]:
    choices = field.get("enum") or ([field["const"]] if "const" in field else None)
    description = field.get("description", "")
    return {
        "name": name,
        "type": "select" if choices else KINDS.get(field.get("type", ""), "text"),
        "required": required,
        "description": description,
        "default_value": field.get("default"),
        "choices": choices,
        "min_value": field.get("minimum"),
        "max_value": field.get("maximum"),
        "min_length": field.get("minLength"),
        "max_length": field.get("maxLength"),
        "pattern": field.get("pattern"),
        "placeholder": f"a value for {name}",
        "help_text": description,
    }
