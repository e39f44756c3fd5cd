"""Values that fit a JSON schema, and values that do not: what pydantic writes for models, drawn by Hypothesis."""

from __future__ import annotations

import math
import string
from collections.abc import Callable
from functools import partial
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

Schema = dict[str, Any]
Values = st.SearchStrategy[Any]

CHARACTERS = string.printable + "\0äß√–漢字🎲"
"""What texts are made of: all characters would cost Hypothesis seconds to list."""

LONGEST_TEXT = 40
LONGEST_LIST = 4
DEEPEST = 6
SMALLEST, GREATEST = -(2**31), 2**31 - 1


def legal(schema: Schema) -> Values:
    """Return a strategy of values that fit a schema. Optional properties are there or not."""
    return _Reader(schema).values(schema, 0)


def illegal(schema: Schema) -> Values:
    """Return a strategy of objects that do not fit an object's schema, each for one reason."""
    reader = _Reader(schema)
    top = reader.followed(schema)
    fitting = reader.values(schema, 0)
    properties: dict[str, Schema] = top.get("properties", {})
    ways: list[Values] = []
    if top.get("additionalProperties") is False:
        ways.append(fitting.map(partial(_with, "no such field", 1)))
    for name in top.get("required", ()):
        ways.append(fitting.map(partial(_without, name)))
    for name, inner in properties.items():
        for wrong in _misfits(reader.followed(inner)):
            ways.append(fitting.map(partial(_with, name, wrong)))
    return st.one_of(ways) if ways else st.nothing()


def examples(values: Values, count: int) -> list[Any]:
    """Return up to `count` different values of a strategy, the same ones each time."""
    found: list[Any] = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(values)
    def collect(value: Any) -> None:
        if value not in found:
            found.append(value)

    if not values.is_empty:
        collect()
    return found[:count]


def _with(name: str, wrong: Any, value: dict[str, Any]) -> dict[str, Any]:
    return {**value, name: wrong}


def _without(name: str, value: dict[str, Any]) -> dict[str, Any]:
    return {key: kept for key, kept in value.items() if key != name}


class _Reader:
    """Reads one schema with its definitions."""

    def __init__(self, schema: Schema) -> None:
        self._definitions: dict[str, Schema] = schema.get("$defs", {})

    def followed(self, schema: Schema) -> Schema:
        """Return a schema with its reference, if it is one, replaced by what that names."""
        while "$ref" in schema:
            beside = {key: value for key, value in schema.items() if key != "$ref"}
            schema = {**self._definitions[schema["$ref"].rpartition("/")[2]], **beside}
        return schema

    def values(self, schema: Schema, depth: int) -> Values:
        schema = self.followed(schema)
        if "const" in schema:
            return st.just(schema["const"])
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        for several in ("anyOf", "oneOf"):
            if several in schema:
                return self._one_of(schema[several], depth)
        if "allOf" in schema:
            merged = {key: value for part in schema["allOf"] for key, value in self.followed(part).items()}
            return self.values(merged, depth)
        kind = schema.get("type")
        if isinstance(kind, list):
            return st.one_of([self.values({**schema, "type": one}, depth) for one in kind])
        read: Callable[[Schema, int], Values] = {
            "object": self._object,
            "array": self._array,
            "string": lambda schema, _: _text(schema),
            "integer": lambda schema, _: _integer(schema),
            "number": lambda schema, _: _number(schema),
            "boolean": lambda *_: st.booleans(),
            "null": lambda *_: st.none(),
        }.get(kind or "", lambda *_: st.none() | st.booleans() | st.integers(0, 9) | st.text(CHARACTERS, max_size=5))
        return read(schema, depth)

    def _one_of(self, schemas: list[Schema], depth: int) -> Values:
        if depth >= DEEPEST:
            plain = [schema for schema in schemas if self.followed(schema).get("type") not in ("object", "array")]
            schemas = plain or schemas[:1]
        return st.one_of([self.values(schema, depth) for schema in schemas])

    def _object(self, schema: Schema, depth: int) -> Values:
        properties: dict[str, Schema] = schema.get("properties", {})
        required = set(schema.get("required", ()))
        inner = {name: self.values(one, depth + 1) for name, one in properties.items() if depth < DEEPEST or name in required}
        if inner:
            return st.fixed_dictionaries(
                {name: values for name, values in inner.items() if name in required},
                optional={name: values for name, values in inner.items() if name not in required},
            )
        further = schema.get("additionalProperties", True)
        if further is False or depth >= DEEPEST:
            return st.just({})
        values = self.values({} if further is True else further, depth + 1)
        return st.dictionaries(st.text(CHARACTERS, min_size=1, max_size=8), values, max_size=2)

    def _array(self, schema: Schema, depth: int) -> Values:
        if "prefixItems" in schema:
            return st.tuples(*(self.values(one, depth + 1) for one in schema["prefixItems"])).map(list)
        least = schema.get("minItems", 0)
        most = min(schema.get("maxItems", max(LONGEST_LIST, least)), max(LONGEST_LIST, least))
        if depth >= DEEPEST:
            most = least
        inner = self.values(schema.get("items", {}), depth + 1)
        return st.lists(inner, min_size=least, max_size=most, unique=bool(schema.get("uniqueItems")))


def _text(schema: Schema) -> Values:
    if "pattern" in schema:
        return st.from_regex(str(schema["pattern"])).filter(_ends_on_its_line)
    least = schema.get("minLength", 0)
    most = min(schema.get("maxLength", max(LONGEST_TEXT, least)), max(LONGEST_TEXT, least))
    return st.text(CHARACTERS, min_size=least, max_size=most)


def _ends_on_its_line(text: str) -> bool:
    """Python's `$` also matches before a last line's end; that of others, pydantic's too, does not."""
    return not text.endswith("\n")


def _integer(schema: Schema) -> Values:
    least = schema.get("minimum", schema.get("exclusiveMinimum", SMALLEST - 1) + 1)
    most = schema.get("maximum", schema.get("exclusiveMaximum", GREATEST + 1) - 1)
    step = schema.get("multipleOf")
    if step is None:
        return st.integers(math.ceil(least), math.floor(most))
    return st.integers(math.ceil(least / step), math.floor(most / step)).map(lambda times: times * step)


def _number(schema: Schema) -> Values:
    return st.floats(
        min_value=schema.get("minimum", schema.get("exclusiveMinimum", -1e9)),
        max_value=schema.get("maximum", schema.get("exclusiveMaximum", 1e9)),
        exclude_min="exclusiveMinimum" in schema,
        exclude_max="exclusiveMaximum" in schema,
        allow_nan=False,
        allow_infinity=False,
    )


def _misfits(schema: Schema) -> list[Any]:
    """Return values of a type that a property cannot have; none where its schema leaves the type open."""
    if "enum" in schema or "const" in schema:
        return [{"none": "of these"}]
    wrong: dict[Any, list[Any]] = {
        "object": ["no object", 7],
        "array": ["no list", 7],
        "string": [{"no": "text"}, [1]],
        "integer": ["no number", 0.5, {"no": "number"}],
        "number": ["no number", {"no": "number"}],
        "boolean": ["neither", {"no": "truth"}],
    }
    kind = schema.get("type")
    return wrong.get(kind, []) if isinstance(kind, str) else []
