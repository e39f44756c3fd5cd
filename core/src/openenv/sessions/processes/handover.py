"""What a process needs to know in order to build an environment: packed by the server, unpacked in the process.

Code crosses by name. A process imports a module from the same file as the server did, however that found it.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import io
import logging
import pickle
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

from ...errors import UsageError
from ..settings import Settings
from ..spec import EnvironmentSpec
from .limits import Limits

PROTOCOL = 5


class Handover(NamedTuple):
    """An environment's spec, and the terms on which it runs.

    Attributes:
        spec: how to build it.
        limits: what its process may use.
        max_message_bytes: longest reply.
        log_level: from which on the process tells what this package logs there.
    """

    spec: EnvironmentSpec
    limits: Limits
    max_message_bytes: int
    log_level: int

    def pack(self) -> bytes:
        """Return the handover as bytes for a process of this machine.

        Raises:
            UsageError: a class or function that is needed cannot be imported by another process.
        """
        if self.spec.shared:
            raise UsageError(
                f"isolation='process' builds each {self.spec.name} in a process of its own: "
                "give create_app the class, or a module's function that returns one, instead of an instance"
            )
        spec, modules = _pickled(self.spec, self.spec.name)
        path = [str(Path(entry).absolute()) for entry in sys.path]
        return pickle.dumps((path, _places(modules), spec, self[1:]), PROTOCOL)


def unpack(packed: bytes) -> Handover:
    """Return the handover, having imported what it names, with the server's `sys.path`."""
    path, places, spec, terms = pickle.loads(packed)
    sys.path[:] = path
    sys.meta_path.insert(0, _SameFiles(places))
    return Handover(pickle.loads(spec), *terms)


class _Place(NamedTuple):
    """Where a module comes from: its file (None for a folder that is only a namespace), and a package's folders."""

    file: str | None
    folders: list[str] | None


def _places(names: set[str]) -> dict[str, _Place]:
    """The places of modules and of the packages around them, where they are files."""
    around = {name.rsplit(".", depth)[0] for name in names for depth in range(name.count(".") + 1)}
    return {name: place for name in around if (place := _place(sys.modules.get(name))) is not None}


def _place(module: ModuleType | None) -> _Place | None:
    file, folders = getattr(module, "__file__", None), getattr(module, "__path__", None)
    if file is None and folders is None:
        return None
    if file is not None and not Path(file).is_file():
        return None
    return _Place(file and str(Path(file).absolute()), None if folders is None else list(folders))


class _SameFiles(importlib.abc.MetaPathFinder):
    """Finds the modules that a handover names in the files that it says."""

    def __init__(self, places: dict[str, _Place]) -> None:
        self._places = places

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        place = self._places.get(name)
        if place is None:
            return None
        if place.file is None:
            spec = ModuleSpec(name, None, is_package=True)
            spec.submodule_search_locations = place.folders
            return spec
        return importlib.util.spec_from_file_location(name, place.file, submodule_search_locations=place.folders)


class _Pickler(pickle.Pickler):
    """Notes the modules of the classes and functions that it meets, and refuses those that have no name to go by."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, PROTOCOL)
        self.modules: set[str] = set()

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, type | FunctionType):
            module = value.__module__ or "builtins"
            if module == "__main__":
                raise UsageError(
                    f"isolation='process' cannot find {value.__qualname__} of the script that was started: "
                    "move it into a module and import it from there"
                )
            if "<" in value.__qualname__:
                raise UsageError(
                    f"isolation='process' cannot find {module}.{value.__qualname__} by its name: "
                    "write it with class or def at the top of its module"
                )
            self.modules.add(module)
        return NotImplemented


def _pickled(spec: EnvironmentSpec, name: str) -> tuple[bytes, set[str]]:
    file = io.BytesIO()
    pickler = _Pickler(file)
    try:
        pickler.dump(spec)
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(
            f"isolation='process' cannot hand {name} to another process: {error}; "
            "give create_app a class, a module's function, or a functools.partial of one with plain arguments"
        ) from None
    return file.getvalue(), pickler.modules


def handover(spec: EnvironmentSpec, settings: Settings) -> Handover:
    """Return the handover of an environment under a server's settings."""
    level = logging.getLogger("openenv").getEffectiveLevel()
    limits = Limits(settings.memory_limit_mb, settings.cpu_limit_s)
    return Handover(spec, limits, settings.max_message_bytes, level)
