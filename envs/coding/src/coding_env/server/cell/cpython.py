"""Real CPython: the interpreter of this process itself."""

from __future__ import annotations

import builtins
import linecache
import site
import sys
import threading
import types
from collections.abc import Mapping, Sequence
from typing import Any

from . import tracebacks

EVERYTHING = "*"


class Interpreter:
    """Runs code as the module `__main__`.

    Args:
        imports: names of modules that `import` may name, with those beneath them; `*` for all. This steers honest code;
            the walls around the process are what holds.
    """

    def __init__(self, imports: list[str]) -> None:
        site.setquit()
        site.sethelper()
        threading.excepthook = lambda given: tracebacks.write(given.exc_value or given.exc_type(), sys.stderr)
        main = types.ModuleType("__main__")
        self._namespace = main.__dict__
        if EVERYTHING not in imports:
            self._namespace["__builtins__"] = {**builtins.__dict__, "__import__": _only(frozenset(imports))}
        sys.modules["__main__"] = main

    def run(self, code: str, name: str) -> int:
        try:
            linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
            exec(compile(code, name, "exec", dont_inherit=True), self._namespace)
        except SystemExit as leaving:
            return _exit_code(leaving.code)
        except BaseException as error:
            tracebacks.write(error, sys.stderr)
            return 1
        return 0

    def function(self, name: str) -> Any:
        if name in self._namespace:
            return self._namespace[name]
        raise NameError(f"name {name!r} is not defined")


def _exit_code(given: object) -> int:
    if given is None:
        return 0
    if isinstance(given, int):
        return int(given) & 0xFF
    print(given, file=sys.stderr)
    return 1


def _only(allowed: frozenset[str]) -> Any:
    def checked(
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> types.ModuleType:
        top = name.partition(".")[0]
        if level == 0 and top not in allowed and not any(name == given or name.startswith(f"{given}.") for given in allowed):
            raise ImportError(f"import of {name!r} is not allowed here; allowed are: {', '.join(sorted(allowed))}")
        return builtins.__import__(name, globals, locals, fromlist or (), level)

    return checked
