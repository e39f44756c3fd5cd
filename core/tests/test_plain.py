"""Short ways beside long ones: models written without their serializer, rewards read as floats first, entries of lanes."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable
from functools import cached_property
from typing import Annotated, Any, Literal

import msgpack
import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    TypeAdapter,
    ValidationError,
    computed_field,
    field_serializer,
    field_validator,
    model_serializer,
    model_validator,
)

from openenv import Action, EnvClient, Observation, State, StepResult
from openenv.contract.reward import Reward
from openenv.errors import InvalidActionError, OpenEnvError
from openenv.wire.json_codec import JSON
from openenv.wire.msgpack_codec import MSGPACK
from openenv.wire.plain import copied_fields, plain_fields

BESIDE = {"reward", "done", "terminated", "truncated"}


class Colour(enum.Enum):
    RED = "red"


class Simple(Observation):
    total: Annotated[int, Field(ge=-5)] = 0
    text: str | None = None
    raw: bytes = b""
    values: list[float] = Field(default_factory=list)
    table: dict[str, list[int]] = Field(default_factory=dict)
    word: Literal["one", "two"] = "one"

    @field_validator("total", mode="before")
    @classmethod
    def _counted(cls, value: Any) -> Any:
        return len(value) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _kept(self) -> Simple:
        return self


def serialized(model: BaseModel, but: set[str]) -> Any:
    """What the model's own serializer makes of it."""
    return type(model).__pydantic_serializer__.to_python(model, exclude=but)


@given(
    st.builds(
        Simple,
        total=st.integers(-5, 2**80),
        text=st.none() | st.text(),
        raw=st.binary(),
        values=st.lists(st.floats(allow_nan=False)),
        table=st.dictionaries(st.text(), st.lists(st.integers())),
        word=st.sampled_from(["one", "two"]),
        reward=st.none() | st.floats(allow_nan=False) | st.integers() | st.booleans(),
        done=st.booleans(),
        truncated=st.none() | st.booleans(),
        metadata=st.dictionaries(st.text(), st.integers(), max_size=1),
    ).filter(lambda seen: seen.done or not seen.truncated)
)
def test_a_plain_model_is_written_as_its_serializer_would(seen: Simple) -> None:
    names = plain_fields(Simple, BESIDE)
    inside = serialized(seen, BESIDE)
    if not seen.metadata:
        assert copied_fields(seen, names) == inside
        assert list(copied_fields(seen, names) or {}) == list(inside)
    try:
        written = MSGPACK.load(MSGPACK.encode(seen))
    except ValueError:
        assert any(0xD800 <= ord(letter) < 0xE000 for letter in f"{seen.text}{seen.table}{seen.metadata}")
    else:
        assert written["observation"] == inside
        assert (written["reward"], written["done"]) == (seen.reward, seen.done)
        assert type(written["reward"]) is type(seen.reward)
        assert MSGPACK.load(MSGPACK.gather(16, [MSGPACK.encode_all([seen] * 16)])) == [written] * 16


class Aliased(Action):
    number: int = Field(default=0, serialization_alias="n")


class Excluded(Action):
    number: int = Field(default=0, exclude=True)


class Serialized(Action):
    number: int = 1

    @field_serializer("number")
    def _doubled(self, number: int) -> int:
        return number * 2


class Negated(Action):
    number: Annotated[int, PlainSerializer(lambda number: -number)] = 1


class Whole(Action):
    number: int = 1

    @model_serializer
    def _all(self) -> dict[str, Any]:
        return {"all": self.number}


class Computed(Action):
    number: int = 1

    @computed_field  # type: ignore[prop-decorator]
    @property
    def double(self) -> int:
        return self.number * 2


class Open(Action):
    model_config = ConfigDict(extra="allow")
    number: int = 1


class Inner(BaseModel):
    metadata: dict[str, int] = Field(default_factory=dict)


class Nested(Action):
    inner: Inner = Field(default_factory=Inner)


class Free(Action):
    anything: Any = None


class Changed(Action):
    number: Annotated[int, AfterValidator(lambda number: Inner())] = 0


class Recursive(Action):
    inner: Recursive | None = None


class Coloured(Action):
    colour: Colour = Colour.RED


NOT_PLAIN: dict[str, Callable[[], Action]] = {
    "alias": Aliased,
    "excluded": Excluded,
    "field serializer": Serialized,
    "annotated serializer": Negated,
    "model serializer": Whole,
    "computed field": Computed,
    "further fields": lambda: Open(more=3),
    "a model inside": Nested,
    "anything": lambda: Free(anything=Inner()),
    "a value that a validator made": lambda: Changed(number=1),
    "a model of itself": lambda: Recursive(inner=Recursive()),
    "an enum": Coloured,
}


@pytest.mark.parametrize("name", NOT_PLAIN)
def test_what_is_not_plain_goes_through_its_serializer(name: str) -> None:
    model = NOT_PLAIN[name]()
    assert plain_fields(type(model), {"metadata"}) == ()
    if name != "a value that a validator made":  # pydantic warns of it
        by_hand = MSGPACK.dump(serialized(model, {"metadata"}))
        assert MSGPACK.dump(model) == by_hand


class Cached(Action):
    number: int = 1

    @cached_property
    def double(self) -> int:
        return self.number * 2


def test_only_fields_are_written_and_metadata_where_there_is_some() -> None:
    action = Cached(number=2)
    assert action.double == 4
    assert MSGPACK.load(MSGPACK.dump(action)) == {"number": 2}
    noted = Cached(number=2, metadata={"inner": Inner()})
    assert MSGPACK.load(MSGPACK.dump([noted, action])) == [
        {"number": 2, "metadata": {"inner": {"metadata": {}}}},
        {"number": 2},
    ]


def test_a_model_that_lacks_a_field_is_left_to_its_serializer() -> None:
    names = plain_fields(Simple, BESIDE)
    lacking = Simple.model_construct(total=1)
    del lacking.__dict__["text"]
    assert copied_fields(lacking, names) is None
    assert copied_fields(Simple(), names) == serialized(Simple(), BESIDE)


class Count(int):
    pass


class Long(float):
    pass


class Number(enum.IntEnum):
    ONE = 1


REWARDS = [
    *(None, True, False, 0, 1, 7, 2**70, 0.0, -0.0, 1.0, 1.5, math.inf, math.nan, "1", "0", "1.5", "yes", " 1 ", "x", "", b"1"),
    *(Count(1), Long(1.0), Long(1.5), Number.ONE, numpy.float64(1), numpy.float32(1), numpy.int64(3), numpy.bool_(True)),
    *([], {}, object()),
]


@pytest.mark.parametrize("strict", [False, True])
def test_a_reward_is_read_as_the_union_that_it_is(strict: bool) -> None:
    usual: TypeAdapter[Any] = TypeAdapter(bool | int | float | None)
    ours: TypeAdapter[Any] = TypeAdapter(Reward)
    for value in REWARDS:
        outcomes = []
        for adapter in (usual, ours):
            try:
                read = adapter.validate_python(value, strict=strict)
            except ValidationError:
                outcomes.append("refused")
            else:
                outcomes.append(f"{type(read)} {read!r} {adapter.dump_python(read)!r} {adapter.dump_json(read)!r}")
        assert outcomes[0] == outcomes[1], repr(value)
    assert usual.json_schema() == ours.json_schema()
    for text in ("1", "1.0", "1.5", "true", "null", "123456789012345678901234567890", '"1"'):
        assert repr(ours.validate_json(text)) == repr(usual.validate_json(text)), text


class SimpleEnv(EnvClient[Action, Simple, State]):
    pass


@pytest.mark.parametrize("codec", [MSGPACK, JSON], ids=["msgpack", "json"])
def test_entries_of_lanes_are_read_as_single_replies_are(codec: Any) -> None:
    good = Simple(total=1, reward=1.0)
    last = Simple(total=9, reward=2.5, terminated=True, metadata={"why": "won"})
    entries = [
        *(codec.load(codec.encode(seen)) for seen in (good, last)),
        {**codec.load(codec.encode(good)), "final": codec.load(codec.encode(last))},
        {"error": {"message": "no", "code": "EXECUTION_ERROR"}},
        {"observation": {"total": "much"}, "reward": 1.0, "done": False},
        {"observation": {"total": 2, "unknown": 1}, "reward": None, "done": False},
        {"observation": None},
        codec.load(codec.encode(good)),
    ]
    copies = msgpack.unpackb(msgpack.packb(entries))
    client = SimpleEnv("http://127.0.0.1:1")
    found = client.lanes(len(entries))._results(entries)

    def alone(entry: Any) -> StepResult[Simple] | OpenEnvError:
        try:
            return client._parse_result(entry)
        except OpenEnvError as error:
            return error

    for index, (one, entry) in enumerate(zip(found, copies, strict=True)):
        if index == 3:
            assert isinstance(one, OpenEnvError)
            assert one.message == "no"
            continue
        single = alone(entry)
        if isinstance(single, StepResult) and "final" in entry:
            single.final = client._parse_result(entry["final"])
        assert type(one) is type(single)
        assert one == single if isinstance(one, StepResult) else str(one) == str(single)
    assert [type(one) for one in found[4:7]] == [InvalidActionError] * 3
    assert isinstance(found[2], StepResult)
    assert found[2].final == found[1]
