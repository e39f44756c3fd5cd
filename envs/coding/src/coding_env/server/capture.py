"""What an interpreter writes to one of its streams, as much as is kept."""

from __future__ import annotations

import os

CHUNK = 1 << 16


class Capture:
    """The server's end of a pipe that an interpreter writes to. Close it.

    Args:
        longest: bytes kept of a step; the rest is read and dropped.

    Attributes:
        theirs: the end for the interpreter, until `given`.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._ours, self.theirs = os.pipe()
        os.set_blocking(self._ours, False)
        self._kept = bytearray()
        self._dropped = 0
        self._open = True

    def fileno(self) -> int:
        return self._ours

    def given(self) -> None:
        """Close the end that the interpreter has now."""
        os.close(self.theirs)
        self.theirs = -1

    def read(self) -> bool:
        """Read once and return whether there may be more now."""
        try:
            data = os.read(self._ours, CHUNK)
        except BlockingIOError:
            return False
        room = self._longest - len(self._kept)
        self._kept += data[:room]
        self._dropped += max(0, len(data) - room)
        self._open = bool(data)
        return self._open

    @property
    def open(self) -> bool:
        """Whether anybody can still write."""
        return self._open

    def take(self) -> str:
        """Return what has been written since the last time, as text. The writer must stand still."""
        while self.read():
            pass
        text = self._kept.decode("utf-8", "replace")
        if self._dropped:
            text += f"\n[… {self._dropped} more bytes were written; {self._longest} are kept]\n"
        self._kept.clear()
        self._dropped = 0
        return text

    def close(self) -> None:
        for fd in (self._ours, self.theirs):
            if fd >= 0:
                os.close(fd)
        self._ours = self.theirs = -1
