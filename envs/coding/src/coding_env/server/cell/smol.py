"""smolagents' Python interpreter, which walks the syntax tree and refuses what it does not know."""

from __future__ import annotations

import sys
from typing import Any

from smolagents.local_python_executor import BASE_BUILTIN_MODULES, InterpreterError, LocalPythonExecutor


class Interpreter:
    """Runs code by smolagents' rules.

    Args:
        imports: names of modules that may be imported beside smolagents' own harmless few; `*` for all.

    Raises:
        ValueError: one of them is not installed.
    """

    def __init__(self, imports: list[str]) -> None:
        further = [name for name in imports if name not in BASE_BUILTIN_MODULES]
        self._executor = LocalPythonExecutor(
            further, max_print_outputs_length=sys.maxsize, additional_functions={"input": input}, timeout_seconds=None
        )
        self._executor.state = Variables(self._executor.state)
        self._executor.send_tools({})

    def run(self, code: str, name: str) -> int:
        try:
            self._executor(code)
        except SystemExit as leaving:
            return int(leaving.code) & 0xFF if isinstance(leaving.code, int) else int(leaving.code is not None)
        except BaseException as error:
            kind = type(error).__name__
            sys.stderr.write(f"{error}\n" if isinstance(error, InterpreterError) else f"{kind}: {error}\n")
            return 1
        return 0

    def function(self, name: str) -> Any:
        for known in (self._executor.custom_tools, self._executor.state):
            if name in known:
                return known[name]
        raise NameError(f"name {name!r} is not defined")


class Variables(dict[str, Any]):
    """The variables of the code; what it prints goes out at once, so that nothing is lost when the process is ended."""

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, Prints() if name == "_print_outputs" else value)


class Prints:
    """Stands where smolagents gathers what is printed."""

    value = ""

    def __iadd__(self, text: object) -> Prints:
        sys.stdout.write(str(text))
        return self

    def append(self, text: object) -> Prints:
        return self.__iadd__(text)

    def __str__(self) -> str:
        return ""

    def __len__(self) -> int:
        return 0
