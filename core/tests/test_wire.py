"""Messages as bytes: what goes in comes out."""

from __future__ import annotations

import datetime
import json
import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from openenv import Action, Observation
from openenv.errors import ExecutionError, InvalidActionError, InvalidMessageError, OpenEnvError, UnknownMessageTypeError
from openenv.wire import v1
from openenv.wire.validation import Reader
from openenv.wire.values import ResultReader, error_data, model_data, observation_data


class Seen(Observation):
    number: float = 0.0
    whole: int = 0
    text: str = ""
    raw: bytes = b""
    pair: tuple[int, str] = (0, "")
    table: dict[str, list[float]] = Field(default_factory=dict)
    maybe: float | None = None
    moment: datetime.datetime | None = None
    anything: Any = None


texts = st.text(st.characters(exclude_categories=["Cs"]))
finite = st.floats(allow_nan=False, allow_infinity=False)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | finite | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
observations = st.builds(
    Seen,
    done=st.booleans(),
    reward=st.none() | st.booleans() | st.integers() | finite,
    metadata=st.dictionaries(texts, plain, max_size=3),
    number=finite,
    whole=st.integers(),
    text=texts,
    raw=texts.map(str.encode),
    pair=st.tuples(st.integers(), texts),
    table=st.dictionaries(texts, st.lists(finite, max_size=4), max_size=3),
    maybe=st.none() | finite,
    moment=st.none() | st.datetimes(timezones=st.none() | st.just(datetime.UTC)),
    anything=plain,
)


def bits(value: Any) -> Any:
    """A value in which floats are compared bit by bit, so that -0.0 is not 0.0."""
    if isinstance(value, float):
        return struct.pack("<d", value)
    if isinstance(value, dict):
        return {name: bits(inner) for name, inner in value.items()}
    return [bits(inner) for inner in value] if isinstance(value, list | tuple) else value


def round_trip(observation: Observation) -> Any:
    frame = v1.reply("observation", observation_data(observation))
    return ResultReader(type(observation)).read(v1.read_reply(frame, "observation"))


@given(observations)
def test_an_observation_arrives_unchanged(sent: Seen) -> None:
    result = round_trip(sent)
    assert bits(result.observation.model_dump()) == bits(sent.model_dump())
    assert bits(result.reward) == bits(sent.reward)
    assert result.done is sent.done
    assert (result.metadata or {}) == sent.metadata


@given(st.sampled_from([math.nan, math.inf, -math.inf]), st.lists(st.sampled_from([1.5, math.nan]), max_size=5))
def test_what_is_not_finite_arrives_as_nan_where_a_float_must_stand(odd: float, others: list[float]) -> None:
    result = round_trip(Seen(number=odd, maybe=odd, reward=odd, table={"a": others}))
    assert math.isnan(result.observation.number)
    assert result.observation.maybe is None
    assert result.reward is None
    assert [math.isnan(x) for x in result.observation.table["a"]] == [math.isnan(x) for x in others]


@pytest.mark.parametrize(("terminated", "truncated"), [(None, None), (True, None), (False, True), (True, True), (False, False)])
def test_flags_stand_beside_the_observation_only_when_said(terminated: bool | None, truncated: bool | None) -> None:
    sent = Seen(terminated=terminated, truncated=truncated)
    data = json.loads(observation_data(sent))
    assert {"terminated", "truncated", "reward", "done"}.isdisjoint(data["observation"])
    assert data.get("terminated", None) is terminated
    assert ("truncated" in data) is (truncated is not None)
    result = round_trip(sent)
    assert (result.terminated, result.truncated) == (terminated, truncated)
    assert (result.observation.terminated, result.observation.truncated) == (terminated, truncated)


def test_a_models_own_field_of_a_flags_name_stays_inside() -> None:
    class Excerpt(Observation):
        truncated: str = ""  # type: ignore[assignment]

    data = json.loads(observation_data(Excerpt(truncated="cut here", terminated=True)))
    assert data["observation"]["truncated"] == "cut here"
    assert "truncated" not in data
    result = round_trip(Excerpt(truncated="cut here", terminated=True))
    assert result.observation.truncated == "cut here"
    assert (result.truncated, result.terminated, result.done) == (None, True, True)


def test_metadata_stands_inside_always_and_beside_when_there_is_some() -> None:
    assert json.loads(observation_data(Seen())).keys() == {"observation", "reward", "done"}
    assert json.loads(observation_data(Seen(), null_metadata=True))["metadata"] is None
    data = json.loads(observation_data(Seen(metadata={"a": 1})))
    assert data["metadata"] == data["observation"]["metadata"] == {"a": 1}


@given(st.binary() | st.text() | plain.map(lambda value: json.dumps(value)))
def test_whatever_arrives_is_a_request_or_a_typed_error(frame: str | bytes) -> None:
    outcome: str | None
    try:
        outcome = v1.read_request(frame).type
    except OpenEnvError as error:
        outcome = error.code
    assert outcome in ("reset", "step", "state", "close", "INVALID_JSON", "UNKNOWN_TYPE", "VALIDATION_ERROR")


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        ("not json", InvalidMessageError),
        ("[1]", InvalidMessageError),
        ('{"type":"dance"}', UnknownMessageTypeError),
        ("{}", UnknownMessageTypeError),
        ('{"type":["reset"]}', UnknownMessageTypeError),
        ('{"type":"step"}', InvalidActionError),
        ('{"type":"step","data":5}', InvalidActionError),
        ('{"type":"state","data":{}}', InvalidActionError),
    ],
)
def test_bad_frames_say_what_is_wrong(frame: str, kind: type[OpenEnvError]) -> None:
    with pytest.raises(kind):
        v1.read_request(frame)


@given(texts, plain)
def test_an_error_arrives_as_itself(message: str, extra: Any) -> None:
    with pytest.raises(ExecutionError) as caught:
        v1.read_reply(v1.error_reply(ExecutionError(message, extra=extra)), "observation")
    assert caught.value.message == message
    assert bits(caught.value.details) == bits({"extra": extra})


def test_strict_models_are_read_as_json_is() -> None:
    class Strict(BaseModel):
        model_config = ConfigDict(strict=True)
        day: datetime.date
        pair: tuple[int, int]

    read = Reader(Strict).read
    assert read({"day": "2026-01-02", "pair": [1, 2]}).pair == (1, 2)
    with pytest.raises(InvalidActionError, match=r"pair\.0"):
        read({"day": "2026-01-02", "pair": ["1", 2]})


def test_aliases_are_read_either_way() -> None:
    class Aliased(Observation):
        long_name: int = Field(alias="longName")

    sent = Aliased(longName=3)
    assert round_trip(sent).observation.long_name == 3
    assert Reader(Aliased).read({"longName": 4}).long_name == 4


def test_text_that_no_wire_can_carry_is_an_error() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        observation_data(Seen(text="\ud800"))
    with pytest.raises(ValueError, match="surrogates"):
        model_data(Seen(text="\ud800"))


class Readings(Action):
    """Many numbers, and three that must be there."""

    values: list[float]
    first: int
    second: int
    third: int


@pytest.mark.parametrize("values", [["x"] * 50_000, "x" * 500_000, ["\ud800"] * 3], ids=["many", "long", "odd"])
def test_a_refusal_is_short_however_much_does_not_fit(values: Any) -> None:
    with pytest.raises(InvalidActionError, match="does not fit: values") as refused:
        Reader(Readings).read({"values": values})
    assert len(error_data(refused.value)) < 100_000
    assert len(refused.value.errors) == min(100, len(values) + 3 if isinstance(values, list) else 4)
    assert all(error["loc"] and error["msg"] for error in refused.value.errors)
