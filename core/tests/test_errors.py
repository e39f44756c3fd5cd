"""The errors as callers see them: all at one path, and the same after a trip through a pickle."""

from __future__ import annotations

import pickle

import pytest

from openenv import errors

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.OpenEnvError)]


PUBLISHED: dict[type[errors.OpenEnvError], tuple[object, ...]] = {
    errors.ConcurrencyConfigurationError: ("chess", 1),
    errors.EnvironmentFactoryError: ("make",),
    errors.SessionCapacityError: (8, 8),
}
"""What those are made of that take more than a message."""


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.__name__))
def test_an_error_is_named_and_pickled_by_the_path_that_callers_import(kind: type[errors.OpenEnvError]) -> None:
    error: errors.OpenEnvError = kind(*PUBLISHED.get(kind, ("told",)))  # type: ignore[arg-type]
    error.details["retry_after_s"] = 2.0
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.message, again.details) == (kind, error.message, error.details)
    assert f"{kind.__module__}.{kind.__qualname__}" == f"openenv.errors.{kind.__name__}"


def test_every_error_is_exported() -> None:
    def below(kind: type[errors.OpenEnvError]) -> set[type[errors.OpenEnvError]]:
        return {kind}.union(*map(below, kind.__subclasses__()))

    ours = {kind for kind in below(errors.OpenEnvError) if kind.__module__.startswith("openenv.errors")}
    assert ours == set(KINDS)
    assert {kind.__name__ for kind in KINDS} <= set(errors.__all__)


def test_a_code_of_the_wire_stands_for_its_class() -> None:
    for code, kind in errors.codes().items():
        assert type(errors.from_code(code, "told")) is kind
        assert kind.code == code
    assert errors.codes().keys() == {kind.code for kind in KINDS} - {None}
