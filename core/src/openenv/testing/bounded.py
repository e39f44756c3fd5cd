"""An examination that ends in time."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from .rules import examine
from .subject import Subject
from .verdict import Finding, Verdict


def examine_within(
    subject: Subject, names: Sequence[str], timeout_s: float, *, begins: Callable[[str], None] = lambda rule: None
) -> Iterator[Finding]:
    """As `examine`, for no longer than `timeout_s`: the rule that is not through by then counts as broken, and is the last.

    Args:
        subject: what is examined; its calls go on in a thread of their own where they do not end in time.
        names: which rules.
        timeout_s: seconds for all of them together.
        begins: called with each rule's name before it is tried.
    """
    deadline = time.monotonic() + timeout_s
    for name in names:
        begins(name)
        told: queue.SimpleQueue[Finding] = queue.SimpleQueue()
        threading.Thread(target=_examine, args=(subject, name, told), name="openenv-examine", daemon=True).start()
        try:
            yield told.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            yield Finding(name, Verdict.BROKEN, f"not through after the {timeout_s:g} s that all rules have together")
            return


def _examine(subject: Subject, name: str, told: queue.SimpleQueue[Finding]) -> None:
    try:
        (finding,) = examine(subject, [name])
    except Exception as error:
        finding = Finding(name, Verdict.BROKEN, f"{type(error).__name__}: {error}")
    told.put(finding)
