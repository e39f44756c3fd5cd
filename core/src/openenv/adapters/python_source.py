"""Python source, laid out as formatters lay it out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LINE_LENGTH = 128
INDENT = "    "


@dataclass(frozen=True)
class Group:
    """Something in brackets, which may be broken over several lines.

    Attributes:
        opening: up to the bracket, which is in it: `Field(`.
        parts: what stands between the commas.
        closing: the bracket that ends it.
    """

    opening: str
    parts: Sequence[Source]
    closing: str

    def __str__(self) -> str:
        return f"{self.opening}{', '.join(map(str, self.parts))}{self.closing}"


Source = str | Group


def call(function: str, *arguments: Source, **named: Any) -> Group:
    """Return a call; named arguments are values."""
    return Group(f"{function}(", [*arguments, *(_prefixed(f"{name}=", literal(value)) for name, value in named.items())], ")")


def literal(value: Any) -> Source:
    """Return the source of plain data. Raises `TypeError` for anything else."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if value is None or isinstance(value, bool | int):
        return repr(value)
    if isinstance(value, float):
        return repr(value) if abs(value) < float("inf") else f'float("{value}")'
    if isinstance(value, Mapping):
        return Group("{", [_prefixed(f"{literal(key)}: ", literal(inner)) for key, inner in value.items()], "}")
    if isinstance(value, list):
        return Group("[", [literal(inner) for inner in value], "]")
    raise TypeError(f"{value!r:.100} is no plain data")


def statement(beginning: str, source: Source, indent: str = "", ending: str = "") -> str:
    """Return lines that begin with `beginning`: one where that is short enough, else one for each part."""
    line = f"{indent}{beginning}{source}{ending}"
    if isinstance(source, str) or not source.parts or len(line) <= LINE_LENGTH:
        return line
    inner = (statement("", part, indent + INDENT, ",") for part in source.parts)
    return "\n".join([f"{indent}{beginning}{source.opening}", *inner, f"{indent}{source.closing}{ending}"])


def _prefixed(prefix: str, source: Source) -> Source:
    if isinstance(source, str):
        return prefix + source
    return Group(prefix + source.opening, source.parts, source.closing)
