"""What the process of an environment may use."""

from __future__ import annotations

import contextlib
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from ...errors import UsageError

OOM_SCORE = Path("/proc/self/oom_score_adj")
MORE_OOM_SCORE = 500
"""In thousandths of all memory, as if the process held so much more."""


@dataclass(frozen=True)
class Limits:
    """Memory of a process and CPU time of a call; None: no limit.

    Attributes:
        memory_mb: MiB of private writable memory (`RLIMIT_DATA`), the interpreter and what its libraries hold included.
            Address space that is only reserved does not count, as it would with `RLIMIT_AS`, of which every thread takes
            64 MiB and more; nor does shared memory. What cannot be had is a `MemoryError`, or whatever else a library
            makes of it. Linux only.
        cpu_s: CPU seconds of all threads of the process in one call (`ITIMER_PROF`); SIGPROF ends a process that uses
            more. POSIX only.
    """

    memory_mb: int | None = None
    cpu_s: float | None = None

    def check(self) -> None:
        """Raise `UsageError` where this system cannot keep these limits."""
        if self.memory_mb is not None and sys.platform != "linux":
            raise UsageError("memory_limit_mb needs Linux: leave it unset here")
        if self.cpu_s is not None and not hasattr(signal, "setitimer"):
            raise UsageError("cpu_limit_s needs a POSIX system: leave it unset here")

    def begin(self) -> None:
        """Limit this process, from now on and for good; where memory runs out, Linux ends it rather than its server."""
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                OOM_SCORE.write_text(str(min(int(OOM_SCORE.read_text()) + MORE_OOM_SCORE, 1000)))
        if sys.platform == "linux" and self.memory_mb is not None:
            import resource

            wanted = self.memory_mb * 1024 * 1024
            hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
            limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        if self.cpu_s is not None:
            signal.signal(signal.SIGPROF, signal.SIG_DFL)

    def begin_call(self) -> None:
        """Count CPU time from here on."""
        if self.cpu_s is not None:
            signal.setitimer(signal.ITIMER_PROF, self.cpu_s)

    def end_call(self) -> None:
        """Count no more."""
        if self.cpu_s is not None:
            signal.setitimer(signal.ITIMER_PROF, 0)
