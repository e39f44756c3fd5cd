"""Arrays as fields of observations and actions: exact on the way, typed in the schema."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pydantic import ValidationError
from serving import running

from openenv import Action, Array, EnvClient, Environment, Observation, State
from openenv.errors import InvalidActionError
from openenv.server import create_app
from openenv.wire.json_codec import JSON
from openenv.wire.msgpack_codec import MSGPACK
from openenv.wire.values import ResultReader, encode

ALL = (
    arrays.boolean_dtypes()
    | arrays.integer_dtypes(endianness="?")
    | arrays.unsigned_integer_dtypes(endianness="?")
    | arrays.floating_dtypes(endianness="?")
    | arrays.complex_number_dtypes(endianness="?")
    | arrays.datetime64_dtypes()
    | arrays.timedelta64_dtypes()
    | arrays.byte_string_dtypes(max_len=6)
    | arrays.unicode_string_dtypes(max_len=6)
)
SHAPES = arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)


def holding(dtype: Any, *shape: int | None) -> Any:
    """An observation with one array of a dtype."""

    class Picture(Observation):
        field: Annotated[np.ndarray, Array(dtype, *shape)]

    return Picture


def same(one: np.ndarray, other: np.ndarray) -> bool:
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


@given(st.data(), ALL | arrays.array_dtypes(ALL, max_size=3), SHAPES)
def test_every_dtype_arrives_exactly_in_version_2(data: st.DataObject, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    sent = data.draw(arrays.arrays(dtype, shape))
    model = holding(dtype)
    read = MSGPACK.load(MSGPACK.encode(model(field=sent)))
    arrived = ResultReader(model).read(read).observation.field
    assert same(arrived, np.ascontiguousarray(sent).reshape(sent.shape))
    assert arrived.flags.writeable or not arrived.size


def finite(sent: np.ndarray) -> np.ndarray:
    """An array with NaN where it is not finite, since version 1 can say no more."""
    if sent.dtype.kind in "fc":
        sent = sent.copy()
        sent[~np.isfinite(sent)] = np.nan
    return sent


@pytest.mark.parametrize("dump", [encode, JSON.encode], ids=["version 1", "version 2 JSON"])
@given(st.data(), ALL, SHAPES)
def test_what_is_finite_arrives_exactly_as_lists(
    dump: Any, data: st.DataObject, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> None:
    sent = data.draw(arrays.arrays(dtype, shape))
    model = holding(dtype)
    arrived = ResultReader(model).read(json.loads(dump(model(field=sent)))).observation.field
    assert arrived.dtype == dtype
    if sent.size:
        assert arrived.shape == sent.shape
        np.testing.assert_array_equal(finite(arrived), finite(sent))
        if dtype.kind == "f":
            np.testing.assert_array_equal(np.signbit(arrived[np.isfinite(sent)]), np.signbit(sent[np.isfinite(sent)]))


def test_the_schema_tells_dtype_and_shape() -> None:
    field = holding("uint8", 84, None, 3).model_json_schema()["properties"]["field"]
    assert (field["dtype"], field["shape"]) == ("|u1", [84, None, 3])
    assert (field["minItems"], field["maxItems"]) == (84, 84)
    assert field["items"]["items"]["items"] == {"type": "integer"}


@pytest.mark.parametrize(
    ("dtype", "shape", "given", "told"),
    [
        ("uint8", (2,), np.zeros(2, "int64"), "array of uint8 was expected, not of int64"),
        ("uint8", (2,), np.zeros(3, "uint8"), r"shape \(2\) was expected, not \(3\)"),
        ("uint8", (), [1, 300], "make no array of uint8"),
        ("int32", (), [1.5], "hold values that int32 cannot hold"),
        ("float32", (), [[1.0], [2.0, 3.0]], "make no array|inhomogeneous"),
        ("float32", (), ["many"], "could not convert|make no array"),
        (None, (), np.array([object()]), "arrays of objects"),
    ],
)
def test_what_does_not_fit_is_refused(dtype: Any, shape: tuple[int, ...], given: Any, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        holding(dtype, *shape)(field=given)


class Draw(Action):
    """Paint this."""

    pixels: Annotated[np.ndarray, Array("uint8", 4, 4)]


class Canvas(Observation):
    """What has been painted."""

    pixels: Annotated[np.ndarray, Array("uint8", 4, 4)]


class Easel(Environment[Draw, Canvas, State]):
    """Adds up what is painted."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def reset(self, seed: int | None = None, episode_id: str | None = None) -> Canvas:
        self._pixels = np.zeros((4, 4), np.uint8)
        return Canvas(pixels=self._pixels)

    def step(self, action: Draw, timeout_s: float | None = None) -> Canvas:
        self._pixels = self._pixels + action.pixels
        return Canvas(pixels=self._pixels, metadata={"mean": self._pixels.mean(), "columns": self._pixels.sum(0)})

    @property
    def state(self) -> State:
        return State()


class EaselEnv(EnvClient[Draw, Canvas, State]):
    """Plays the easel."""


def test_arrays_travel_both_ways_over_every_transport() -> None:
    pixels = np.arange(16, dtype=np.uint8).reshape(4, 4)
    with running(create_app(Easel)) as url:
        clients = [EaselEnv(base_url=url), EaselEnv(base_url=url, transport="http"), EaselEnv.from_environment(Easel)]
        for client in clients:
            with client.sync() as env:
                assert not env.reset().observation.pixels.any()
                env.step(Draw(pixels=pixels))
                result = env.step(Draw(pixels=pixels))
                assert same(result.observation.pixels, pixels * 2)
                assert result.metadata is not None
                assert result.metadata["mean"] == 15.0
                assert list(result.metadata["columns"]) == [48, 56, 64, 72]
                with pytest.raises(InvalidActionError, match=r"shape \(4, 4\) was expected"):
                    env.step({"pixels": [[1, 2]]})  # type: ignore[arg-type]


def test_an_empty_array_keeps_its_shape_as_lists_too() -> None:
    model = holding("float32", None, 3)
    sent = model(field=np.zeros((0, 3), np.float32))
    assert ResultReader(model).read(json.loads(encode(sent))).observation.field.shape == (0, 3)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is told by /proc")
def test_threads_keep_no_room_for_what_they_once_sent() -> None:
    array = np.ones(40_000_000, "u1")
    packed, looked = threading.Barrier(5), threading.Event()

    def pack() -> None:
        MSGPACK.dump({"array": array})
        packed.wait()
        looked.wait()

    threads = [threading.Thread(target=pack) for _ in range(4)]
    before = _memory()
    for thread in threads:
        thread.start()
    packed.wait()
    kept = _memory() - before
    looked.set()
    for thread in threads:
        thread.join()
    assert kept < array.nbytes


def _memory() -> int:
    """Return how many bytes this process holds."""
    return 1024 * int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0])
