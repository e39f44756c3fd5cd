"""The older name of `openenv.core`: every module under it is the one under that name."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import openenv.core as _core

OLDER, NEWER = f"{__name__}.", f"{_core.__name__}."


class _Older(MetaPathFinder, Loader):
    """Finds the modules of the older name; the same module stands under both."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if not name.startswith(OLDER) or find_spec(name.replace(OLDER, NEWER, 1)) is None:
            return None
        return ModuleSpec(name, self)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(spec.name.replace(OLDER, NEWER, 1))
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Undo what importing under another name has written into the module."""
        assert module.__spec__ is not None
        module.__spec__ = module.__spec__.loader_state


sys.meta_path.insert(0, _Older())
__all__ = _core.__all__


def __getattr__(name: str) -> Any:
    return getattr(_core, name)
