"""NumPy arrays as bytes."""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING, Any, Final

import msgpack

from ..contract.arrays import to_lists
from ..errors import UsageError

if TYPE_CHECKING:
    import numpy

ARRAY: Final = 2
"""Msgpack extension type of arrays: msgpack of dtype and shape, then the raw values in C order."""


def is_array(value: Any) -> bool:
    """Return whether a value is a NumPy array, without importing NumPy for those who never use it."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray)


def is_scalar(value: Any) -> bool:
    """Return whether a value is a single NumPy number."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.generic)


def pack_array(array: numpy.ndarray[Any, Any]) -> msgpack.ExtType:
    """Return an array as an extension. Raises ValueError for arrays of objects."""
    if array.dtype.hasobject:
        raise ValueError(f"an array of {array.dtype} cannot travel: it holds objects")
    dtype = array.dtype.str if array.dtype.names is None else repr(array.dtype.descr)
    return msgpack.ExtType(ARRAY, b"".join((msgpack.packb((dtype, array.shape)), _values(array))))


def _values(array: numpy.ndarray[Any, Any]) -> bytes | memoryview:
    """Return the raw values in C order, where they lie so already without a copy; a subclass may have more to say of them."""
    if type(array) is sys.modules["numpy"].ndarray and array.nbytes:
        return array.reshape(-1).view("u1").data
    return array.tobytes()


def unpack_array(content: bytes) -> numpy.ndarray[Any, Any]:
    """Return the array of an extension, writable and of its own.

    Raises:
        ValueError: the content is no array.
        UsageError: NumPy is not installed here.
    """
    try:
        import numpy
    except ModuleNotFoundError:
        raise UsageError("the environment sends NumPy arrays: install numpy") from None
    unpacker = msgpack.Unpacker()
    unpacker.feed(content[:MAX_HEADER_BYTES])
    description, shape = unpacker.unpack()
    dtype = numpy.dtype(ast.literal_eval(description) if description.startswith("[") else description)
    if dtype.hasobject:
        raise ValueError("an array of objects")
    if dtype.itemsize == 0:
        return numpy.zeros(shape, dtype)
    return numpy.frombuffer(content, dtype, offset=unpacker.tell()).reshape(shape).copy()


MAX_HEADER_BYTES: Final = 65536


def to_plain(value: Any) -> Any:
    """Return NumPy arrays and scalars as lists and numbers, for JSON. Raises `TypeError` for anything else."""
    if is_array(value):
        return to_lists(value)
    if is_scalar(value):
        return value.item()
    raise TypeError(f"a value of type {type(value).__name__} cannot travel")
