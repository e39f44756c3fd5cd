"""How a process ended, in words."""

from __future__ import annotations

import signal

from ...errors import EnvironmentCrashed
from .handover import Handover
from .output import Output


def crash(handover: Handover, exit_code: int | None, output: Output, *, killed: bool) -> EnvironmentCrashed:
    """Return the error for a process that has ended, with `exit_code`, `signal` (its name or None) and `stderr` (lines).

    Args:
        handover: what it ran, and on which terms.
        exit_code: its exit code, or the number of the signal that ended it with a minus; None: not known.
        output: its standard error.
        killed: the server ended it.
    """
    by_signal = None if exit_code is None or exit_code >= 0 else _signal_name(-exit_code)
    how = "was killed by its server" if killed else _how(exit_code, by_signal, handover.limits.cpu_s)
    message = f"the process of {handover.spec.name} {how}"
    if output.last:
        message = f"{message}: {output.last}"
    return EnvironmentCrashed(message, exit_code=exit_code, signal=by_signal, stderr=output.lines)


def _how(exit_code: int | None, by_signal: str | None, cpu_limit_s: float | None) -> str:
    if exit_code is None:
        return "ended, and how is not known"
    if by_signal is None:
        return f"ended with exit code {exit_code}"
    if by_signal == "SIGPROF" and cpu_limit_s is not None:
        return f"used more than cpu_limit_s={cpu_limit_s:g} of CPU time in one call and was ended with signal SIGPROF"
    hint = " (which is also how the system answers a lack of memory)" if by_signal == "SIGKILL" else ""
    return f"ended with signal {by_signal}{hint}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"number {number}"
