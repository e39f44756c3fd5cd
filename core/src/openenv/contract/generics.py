"""Type arguments of generic classes, as their subclasses wrote them."""

from __future__ import annotations

from typing import Any, TypeVar, get_args, get_origin


def type_arguments(cls: type, generic: type) -> tuple[Any, ...] | None:
    """Return what `cls` put in the place of `generic`'s parameters, or None where it never said.

    Follows chains of generic subclasses: with `class A(Base[T, int])` and `class B(A[str])`, B gives `(str, int)`.
    Parameters that stay open come back as their `TypeVar`.
    """
    for base in getattr(cls, "__orig_bases__", ()):
        origin = get_origin(base) or base
        if not (isinstance(origin, type) and issubclass(origin, generic)):
            continue
        if origin is generic:
            return get_args(base) or None
        inner = type_arguments(origin, generic)
        if inner is None:
            continue
        filled = dict(zip(getattr(origin, "__parameters__", ()), get_args(base), strict=False))
        return tuple(filled.get(argument, argument) if isinstance(argument, TypeVar) else argument for argument in inner)
    for parent in cls.__bases__:
        if issubclass(parent, generic) and parent is not generic:
            return type_arguments(parent, generic)
    return None


def models(cls: type, generic: type) -> tuple[type | None, ...]:
    """Return `type_arguments` with None for each parameter left open, one entry a parameter of `generic`."""
    given = type_arguments(cls, generic) or ()
    count = len(getattr(generic, "__parameters__", ()))
    known = tuple(None if isinstance(argument, TypeVar) or argument is Any else argument for argument in given)
    return (known + (None,) * count)[:count]


def overrides_method(method: Any, base_method: Any) -> bool:
    """Return whether a method, bound or not, is another than its base class's."""
    return getattr(method, "__func__", method) is not getattr(base_method, "__func__", base_method)
