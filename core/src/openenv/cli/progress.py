"""What a long command tells while it works, on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape


@contextmanager
def progress(begun: str) -> Iterator[Callable[[str], None]]:
    """Yield what is called with each step: on a terminal the step stands beside a spinner, elsewhere each has its line.

    Args:
        begun: what is done before the first step.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda step: console.print(step, markup=False, highlight=False, soft_wrap=True)
        return
    with console.status(escape(begun)) as status:
        yield lambda step: status.update(escape(step[: console.width - 4]))
