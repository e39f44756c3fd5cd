"""TextArena's modules, loaded so that what they import as `random`, `numpy` and `nltk` is an episode's own, and `re` is swift.

Nothing of the process is changed: the modules `random`, `re`, `numpy` and `nltk` stay as they are for everybody else. Only
modules named `textarena…` are loaded with another `__import__` among their builtins, and only they see the stand-ins,
which outside an episode act as the real ones.
"""

from __future__ import annotations

import builtins
import functools
import importlib
import logging
import sys
import threading
import warnings
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any

from .chance import NUMPY, NUMPY_RANDOM, PYTHON_RANDOM, Chance, drawing_from
from .patterns import RE
from .word_data import CORPUS, NLTK

ROOT = "textarena"
DICTIONARIES = "textarena.envs.utils.word_lists"

_log = logging.getLogger(__name__)
_lock = threading.RLock()
_STANDS: Mapping[str, ModuleType] = {
    "random": PYTHON_RANDOM,
    "re": RE,
    "numpy": NUMPY,
    "numpy.random": NUMPY_RANDOM,
    "nltk": NLTK,
    "nltk.corpus": CORPUS,
}


def _import(name: str, globals_: Any = None, locals_: Any = None, fromlist: Any = (), level: int = 0) -> Any:
    """As `__import__`; `import a.b` means the module a, `from a.b import c` the module a.b."""
    if level == 0:
        stand = _STANDS.get(name if fromlist else name.partition(".")[0])
        if stand is not None:
            return stand
    return builtins.__import__(name, globals_, locals_, fromlist, level)


def _print(*words: Any, **options: Any) -> None:
    """Games tell of their inner doings on standard output; they go to the log."""
    _log.debug("%s", " ".join(map(str, words)))


_BUILTINS = {**vars(builtins), "__import__": _import, "print": _print}


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__builtins__"] = _BUILTINS
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            super().exec_module(module)
        if module.__name__ == DICTIONARIES:
            dictionary = vars(module)["EnglishDictionary"]
            dictionary.__deepcopy__ = lambda self, memo: self
            vars(module)["EnglishDictionary"] = functools.cache(dictionary)


class _Finder(MetaPathFinder):
    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname.partition(".")[0] != ROOT:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


def load(name: str) -> ModuleType:
    """Import one of TextArena's modules, with all that it imports, without touching the network.

    Raises:
        ImportError, SyntaxError, OSError: the module is not there, or does not run on this Python.
    """
    with _lock, drawing_from(Chance(0)):
        _take_over()
        return importlib.import_module(name)


def _take_over() -> None:
    """See to it that every module of TextArena's is loaded by this file; one that was loaded otherwise is loaded again."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
    loaded = sys.modules.get(ROOT)
    if loaded is not None and vars(loaded).get("__builtins__") is not _BUILTINS:
        for name in [name for name in sys.modules if name.partition(".")[0] == ROOT]:
            del sys.modules[name]
