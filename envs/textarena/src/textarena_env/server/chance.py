"""Random numbers for one episode, and the stand-ins through which TextArena's modules draw them.

TextArena draws from the generators of the process. Its modules are given the stand-ins of this file in the place of
`random` and `numpy` (see `modules`): within `drawing_from(chance)` they draw from that episode's own generators, elsewhere
they do what the modules that they stand for do.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property, partial
from types import ModuleType
from typing import Any

import numpy as np


class Chance:
    """The generators of one episode; all it draws is decided by the seed.

    Args:
        seed: any whole number.
    """

    def __init__(self, seed: int) -> None:
        # a string, because Random takes -1 and 1 for the same seed
        self.python = random.Random(str(seed))

    @cached_property
    def numpy(self) -> np.random.RandomState:
        """NumPy's generator in its older form, which is the one with the names of the functions of `numpy.random`."""
        return np.random.RandomState(self.python.getrandbits(32))

    def make_random(self, seed: Any = None) -> random.Random:
        """As `random.Random`, which without a seed asks the system for one."""
        return random.Random(self.python.getrandbits(64) if seed is None else seed)

    def make_numpy(self, seed: Any = None) -> np.random.Generator:
        """As `numpy.random.default_rng`, which without a seed asks the system for one."""
        return np.random.default_rng(self.python.getrandbits(64) if seed is None else seed)


_current: ContextVar[Chance | None] = ContextVar("textarena_chance", default=None)


@contextmanager
def drawing_from(chance: Chance) -> Iterator[None]:
    """Let TextArena's modules draw from one episode's generators, in this thread and context only."""
    token = _current.set(chance)
    try:
        yield
    finally:
        _current.reset(token)


def in_episode() -> bool:
    """Whether the caller runs within `drawing_from`."""
    return _current.get() is not None


class _Stand(ModuleType):
    """A stand-in for a module. A copy of a game that holds on to it holds on to the same one."""

    def __deepcopy__(self, memo: dict[int, Any]) -> _Stand:
        return self


class _Drawing(_Stand):
    """A module whose functions are looked up anew at each call: in the episode's generator, if there is one."""

    def __init__(self, real: ModuleType, own: Callable[[Chance, str], Any]) -> None:
        super().__init__(real.__name__, real.__doc__)
        self._real = real
        self._own = own

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)
        return partial(self._call, name, real) if callable(real) else real

    def _call(self, name: str, real: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        chance = _current.get()
        own = None if chance is None else self._own(chance, name)
        return (own or real)(*args, **kwargs)


def _from_python(chance: Chance, name: str) -> Any:
    return chance.make_random if name == "Random" else getattr(chance.python, name, None)


def _from_numpy(chance: Chance, name: str) -> Any:
    return chance.make_numpy if name == "default_rng" else getattr(chance.numpy, name, None)


class _Numpy(_Stand):
    """NumPy with another `random`."""

    def __init__(self) -> None:
        super().__init__("numpy", np.__doc__)
        self.__dict__.update(vars(np), random=NUMPY_RANDOM)

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


PYTHON_RANDOM = _Drawing(random, _from_python)
NUMPY_RANDOM = _Drawing(np.random, _from_numpy)
NUMPY = _Numpy()
