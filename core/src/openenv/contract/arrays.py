"""Fields that are NumPy arrays. NumPy itself is imported only where such a field is used."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

if TYPE_CHECKING:
    import numpy

Length = int | None
Bound = float | Sequence[Any] | None


class Array:
    """Marks a model's field as an array of one dtype and shape: `pixels: Annotated[np.ndarray, Array("uint8", 84, 84, 3)]`.

    Arrays travel as their bytes over protocol version 2 and arrive exactly; over version 1 and HTTP they are nested lists.
    A field takes an array of exactly this dtype, or nested lists whose values it can hold without loss.

    Args:
        dtype: as `numpy.dtype` takes it; arrays of objects are refused. None takes any dtype, which lists then choose.
        shape: the length of each axis; None for one of any length. No lengths at all: any shape.
        ge: the least that values may be: one number for all, or nested lists of the array's shape, with `-inf` for those
            without bound. None: no bound. NaN is within no bounds.
        le: the greatest, likewise.
    """

    def __init__(self, dtype: Any = None, *shape: Length, ge: Bound = None, le: Bound = None) -> None:
        self._given_dtype = dtype
        self.shape: tuple[Length, ...] | None = shape or None
        self.ge = ge
        self.le = le

    @property
    def dtype(self) -> numpy.dtype[Any] | None:
        """The dtype, or None for any."""
        import numpy

        return None if self._given_dtype is None else numpy.dtype(self._given_dtype)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        serialization = core_schema.plain_serializer_function_ser_schema(_serialize, info_arg=True)
        return core_schema.no_info_plain_validator_function(self._validate, serialization=serialization)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        dtype = self.dtype
        kinds = {"b": "boolean", "i": "integer", "u": "integer", "f": "number", "U": "string"}
        value: dict[str, Any] = {"type": kinds[dtype.kind]} if dtype is not None and dtype.kind in kinds else {}
        item = self._schema(value, self.shape or (None,), _held_by(dtype, self.ge), _held_by(dtype, self.le))
        item["dtype"] = None if dtype is None else dtype.str if dtype.names is None else str(dtype)
        item["shape"] = None if self.shape is None else list(self.shape)
        return item

    def _schema(self, value: dict[str, Any], lengths: tuple[Length, ...], least: Any, greatest: Any) -> dict[str, Any]:
        """Return the schema of nested lists with these lengths; bounds that are lists bound each value by itself."""
        if not lengths:
            bounds = {"minimum": least, "maximum": greatest}
            return {**value, **{name: bound for name, bound in bounds.items() if bound is not None and isfinite(bound)}}
        length, *inner = lengths
        if isinstance(least, list) or isinstance(greatest, list):
            rows = zip(_each(least, length or 0), _each(greatest, length or 0), strict=True)
            parts = [self._schema(value, tuple(inner), *bounds) for bounds in rows]
            return {"type": "array", "prefixItems": parts, "minItems": len(parts), "maxItems": len(parts)}
        counts = {} if length is None else {"minItems": length, "maxItems": length}
        return {"type": "array", "items": self._schema(value, tuple(inner), least, greatest), **counts}

    def _validate(self, value: Any) -> numpy.ndarray[Any, Any]:
        import numpy

        dtype = self.dtype
        if isinstance(value, numpy.ndarray):
            array = value
            if dtype is not None and array.dtype != dtype:
                raise ValueError(f"an array of {dtype} was expected, not of {array.dtype}")
        else:
            array = from_lists(value, dtype)
            if not array.size and self.shape is not None and not all(self.shape):
                array = array.reshape([length or 0 for length in self.shape])
        if array.dtype.hasobject:
            raise ValueError("arrays of objects cannot travel: give the field a dtype")
        if self.shape is not None and not _fits(array.shape, self.shape):
            raise ValueError(f"an array of shape {_told(self.shape)} was expected, not {_told(array.shape)}")
        if self.ge is not None and not (array >= _held_by(array.dtype, self.ge)).all():
            raise ValueError(f"values of {self.ge} or more were expected")
        if self.le is not None and not (array <= _held_by(array.dtype, self.le)).all():
            raise ValueError(f"values of {self.le} or less were expected")
        return array


def _held_by(dtype: numpy.dtype[Any] | None, bound: Bound) -> Any:
    """Return a bound as arrays of a dtype hold it: 0.1 in float32 is a little more than 0.1."""
    import numpy

    return bound if bound is None or dtype is None or dtype.kind != "f" else numpy.asarray(bound, dtype).tolist()


def _each(bound: Any, count: int) -> list[Any]:
    """Return a bound for each of `count` parts."""
    return list(bound) if isinstance(bound, list | tuple) else [bound] * count


def _fits(actual: tuple[int, ...], wanted: tuple[Length, ...]) -> bool:
    return len(actual) == len(wanted) and all(length in (None, found) for length, found in zip(wanted, actual, strict=True))


def _told(shape: tuple[Length, ...]) -> str:
    return f"({', '.join('any' if length is None else str(length) for length in shape)})"


def _serialize(array: numpy.ndarray[Any, Any], info: core_schema.SerializationInfo) -> Any:
    return to_lists(array) if info.mode == "json" else array


def to_lists(array: numpy.ndarray[Any, Any]) -> Any:
    """Return an array as nested lists: complex numbers as pairs, dates and time spans as counts of their unit.

    Raises:
        ValueError: a dtype that lists cannot hold exactly (long double, structured).
    """
    kind = array.dtype.kind
    if kind == "V" or (kind in "fc" and array.dtype.itemsize > (8 if kind == "f" else 16)):
        raise ValueError(f"an array of {array.dtype} cannot travel as JSON: use protocol version 2")
    if kind == "c":
        return _pairs(array).tolist()
    if kind in "mM":
        return array.astype("int64").tolist()
    if kind == "S":
        return _decoded(array.tolist())
    return array.tolist()


def _pairs(array: numpy.ndarray[Any, Any]) -> numpy.ndarray[Any, Any]:
    import numpy

    return numpy.stack([array.real, array.imag], axis=-1)


def _from_pairs(pairs: numpy.ndarray[Any, Any], dtype: numpy.dtype[Any]) -> numpy.ndarray[Any, Any]:
    import numpy

    if not pairs.size:
        return numpy.zeros(0, dtype)
    array = numpy.empty(pairs.shape[:-1], dtype)
    array.real, array.imag = pairs[..., 0], pairs[..., 1]
    return array


def _decoded(value: Any) -> Any:
    return [_decoded(inner) for inner in value] if isinstance(value, list) else value.decode("latin-1")


def from_lists(value: Any, dtype: numpy.dtype[Any] | None) -> numpy.ndarray[Any, Any]:
    """Return the array that nested lists stand for; None stands for NaN where floats are.

    Raises:
        ValueError: the lists are ragged, or hold what the dtype cannot hold without loss.
    """
    import numpy

    if dtype is None:
        return numpy.asarray(value)
    try:
        if dtype.kind == "c":
            return _from_pairs(numpy.asarray(value, dtype=numpy.zeros((), dtype).real.dtype), dtype)
        if dtype.kind in "mM":
            return numpy.asarray(value, dtype="int64").astype(dtype)
        if dtype.kind == "S":
            return numpy.char.encode(numpy.asarray(value, dtype=str), "latin-1").astype(dtype)
        array = numpy.asarray(value, dtype=dtype)
        exact = dtype.kind not in "iub" or numpy.array_equal(array.astype(object), numpy.asarray(value, dtype=object))
    except (TypeError, OverflowError) as error:
        raise ValueError(f"these lists make no array of {dtype}: {error}") from None
    if not exact:
        raise ValueError(f"these lists hold values that {dtype} cannot hold")
    return array
