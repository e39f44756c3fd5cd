"""What a program tells in one line instead of a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import NoReturn


class Refusal(Exception):
    """It cannot be done as it was asked; nothing was changed."""

    exit_code = 2


class Failure(Refusal):
    """It was tried, and did not work."""

    exit_code = 1


def variable(name: str, what: str) -> str:
    """Return an environment variable. Raises `Refusal` where it is not set; `what` says what it is."""
    value = os.environ.get(name)
    if not value:
        raise Refusal(f"{name} is not set: it names {what}")
    return value


def run(program: str, main: Callable[[], None]) -> NoReturn:
    """Run a program and leave with its exit code: 0 done, 1 tried and failed, 2 cannot be done as it was asked."""
    try:
        main()
    except Refusal as refusal:
        print(f"{program}: {refusal}", file=sys.stderr)
        sys.exit(refusal.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0)
