"""Models that are plain data but for their class: to serialize them would only copy their fields.

For a small model that copy costs more than all else of a message. What is plain is read from pydantic's core schema, once a
class, and what is not known to be counts as not plain: it goes through the model's serializer, as everything may.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

_SCALARS = frozenset({"int", "float", "bool", "str", "bytes", "none", "literal"})

_TRANSPARENT = frozenset({"default", "nullable", "function-before"})
"""Schemas around a field's own that say nothing of how it is serialized."""

_AROUND_MODELS = frozenset({"function-before", "function-after", "function-wrap"})

_OF_FIELDS = frozenset({"type", "schema", "metadata", "validation_alias", "frozen"})
"""What a field may say; aliases and exclusions of its serialization are not among it."""


def plain_fields(model: type[BaseModel], but: set[str]) -> tuple[str, ...]:
    """Return the names of a model's fields, `but` for some, if all the others are plain; else none.

    Then `copied_fields` is what the model serializes to. `metadata` may hold anything: as long as it is empty, that is plain.
    """
    schema = _inside(model.__pydantic_core_schema__, _AROUND_MODELS)
    if schema["type"] != "model" or schema.get("root_model") or "serialization" in schema:
        return ()
    inner = _inside(schema["schema"], _AROUND_MODELS)
    if inner["type"] != "model-fields" or inner.get("computed_fields") or "serialization" in inner or "extras_schema" in inner:
        return ()
    if schema.get("config", {}).get("extra_fields_behavior") == "allow":
        return ()
    fields = {name: field for name, field in inner["fields"].items() if name not in but}
    plain = all(field.keys() <= _OF_FIELDS and _is_plain(field["schema"], name) for name, field in fields.items())
    return tuple(fields) if plain else ()


def copied_fields(model: BaseModel, names: tuple[str, ...]) -> dict[str, Any] | None:
    """Return fields by name; None where none are asked for, or one has no value, as `model_construct` may leave it."""
    fields = model.__dict__
    data = {}
    try:
        for name in names:  # a comprehension, which is a function of its own before Python 3.12, takes twice as long
            data[name] = fields[name]
    except KeyError:
        return None
    return data or None


def _inside(schema: Any, around: frozenset[str]) -> Any:
    while schema["type"] in around and "serialization" not in schema:
        schema = schema["schema"]
    return schema


def _is_plain(schema: Any, name: str = "") -> bool:
    schema = _inside(schema, _TRANSPARENT)
    if "serialization" in schema:
        return False
    kind = schema["type"]
    if kind == "list":
        return _is_plain(schema.get("items_schema", _ANY))
    if kind == "dict":
        of_both = (schema.get(part, _ANY) for part in ("keys_schema", "values_schema"))
        return name == "metadata" or all(map(_is_plain, of_both))
    return kind in _SCALARS


_ANY = {"type": "any"}
