"""What a program tells in one line instead of a traceback."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn


class Refusal(Exception):
    """It cannot be done as it was asked; nothing was changed."""

    exit_code = 2


class Failure(Refusal):
    """It was tried, and did not work."""

    exit_code = 1


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
