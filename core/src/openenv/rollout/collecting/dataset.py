"""A folder with collected episodes: `results.jsonl`, `metadata.json`, and `dropped.jsonl` where episodes were left out."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ...errors import OpenEnvError, UsageError
from .episode import Episode

RESULTS, METADATA, DROPPED, LOCK = "results.jsonl", "metadata.json", "dropped.jsonl", ".lock"
SINCE = "collected_with"
"""What of the metadata tells that this package wrote it."""
MAY_DIFFER = frozenset({"env_base_url", "llm_endpoint", "llm_port", "num_episodes_requested", SINCE})
"""What a collection that goes on may be told anew: servers move, and more episodes may be wanted."""


class DatasetFolder:
    """Collected episodes on disk, appended whole. Get one by `opened`.

    Attributes:
        path: the folder.
        rewards: of each episode that is there, by its name.
        dropped: names of the episodes that were left out.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rewards: dict[str, float] = {}
        self.dropped: set[str] = set()

    @property
    def results(self) -> Path:
        """The file that has the episodes, a line each."""
        return self.path / RESULTS

    @property
    def files(self) -> dict[str, Path]:
        """What makes up the data set, by name; only with episodes is it all there."""
        return {RESULTS: self.results, METADATA: self.path / METADATA}

    @classmethod
    @contextmanager
    def opened(cls, path: Path, options: dict[str, Any], *, resume: bool = True) -> Iterator[DatasetFolder]:
        """Make or open a folder, and keep other processes out of it until the end (but for Windows, where none is kept out).

        A line that a kill or a full disk cut is taken off first.

        Args:
            path: the folder.
            options: how its episodes are played, for `metadata.json`; no secrets.
            resume: go on with what is there. False moves it aside, to names that end in `.bak.jsonl`.

        Raises:
            UsageError: the folder cannot be written, is in use, or was made with other options.
        """
        with _alone(path):
            folder = cls(path)
            with _told(UsageError, path):
                if not resume:
                    folder._move_aside()
                folder._agree(options)
                folder._read()
            yield folder

    def append(self, episode: Episode) -> None:
        """Write an episode to disk. Raises `OpenEnvError` where it cannot be: nothing of it is there then."""
        with _told(OpenEnvError, self.results):
            _append(self.results, episode.line())
        self.rewards[episode.episode_id] = episode.reward

    def drop(self, episode: Episode) -> None:
        """Note that an episode was played and is left out, so that it is not played again. Raises as `append`."""
        noted = {"episode_id": episode.episode_id, "seed": episode.seed, "reward": episode.reward}
        with _told(OpenEnvError, self.path / DROPPED):
            _append(self.path / DROPPED, json.dumps(noted).encode() + b"\n")
        self.dropped.add(episode.episode_id)

    def has(self, episode_id: str) -> bool:
        """Return whether an episode was played to its end."""
        return episode_id in self.rewards or episode_id in self.dropped

    def _move_aside(self) -> None:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        for name in (RESULTS, DROPPED):
            file = self.path / name
            if file.exists():
                file.rename(file.with_name(f"{file.stem}.{stamp}.bak.jsonl"))
        (self.path / METADATA).unlink(missing_ok=True)

    def _agree(self, options: dict[str, Any]) -> None:
        """Write the metadata; raise `UsageError` where what is there was made otherwise."""
        file = self.path / METADATA
        there = recorded(self.path)
        if there is None and self.results.exists():
            raise UsageError(f"{self.path} has episodes and no {METADATA} that tells how they were made: {_OTHERWISE}")
        if there is not None:
            if SINCE not in there:
                raise UsageError(f"{file} was not written by this command, and does not tell how to go on: {_OTHERWISE}")
            known = {name: value for name, value in options.items() if name not in MAY_DIFFER}
            if differing := [name for name, value in known.items() if there.get(name) != value]:
                told = ", ".join(f"{name} {there.get(name)!r}, not {options[name]!r}" for name in differing)
                raise UsageError(f"{self.path} was made with {told}: {_OTHERWISE}")
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps(options, indent=2) + "\n", encoding="utf-8")
        fresh.replace(file)

    def _read(self) -> None:
        for row in _rows(self.results):
            self.rewards[row["episode_id"]] = row["reward"]
        self.dropped = {row["episode_id"] for row in _rows(self.path / DROPPED)}


_OTHERWISE = "give another -o, the same options, or --no-resume to begin anew"


def recorded(path: Path) -> dict[str, Any] | None:
    """Return how a folder's episodes are played, as its metadata tells; None where there is none.

    Raises:
        UsageError: the file is not what this package writes.
    """
    try:
        found = json.loads((path / METADATA).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UsageError(f"{path / METADATA} cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise UsageError(f"{path / METADATA} is not what this command writes: {_OTHERWISE}")
    return found


def _append(file: Path, line: bytes) -> None:
    """Write one line and have it on disk; what a full disk leaves of it is taken off again."""
    with file.open("ab", buffering=0) as book:
        before = os.fstat(book.fileno()).st_size
        try:
            left = memoryview(line)
            while left:
                left = left[book.write(left) :]
            os.fsync(book.fileno())
        except BaseException:
            book.truncate(before)
            raise


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    """Yield a file's rows, less a last line that was cut, which is taken off."""
    if not file.exists():
        return
    whole = 0
    with file.open("rb+") as book:
        for number, line in enumerate(book, 1):
            if not line.endswith(b"\n"):
                book.truncate(whole)
                return
            whole += len(line)
            try:
                row = json.loads(line)
                row["episode_id"], row["reward"]
            except (ValueError, TypeError, KeyError):
                raise UsageError(f"line {number} of {file} is no episode: mend it, or {_OTHERWISE}") from None
            yield row


@contextmanager
def _told(kind: type[OpenEnvError], path: Path) -> Iterator[None]:
    try:
        yield
    except OpenEnvError:
        raise
    except OSError as error:
        raise kind(f"{path} cannot be written: {error.strerror or error}") from None


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Make a folder, and keep others out of it."""
    with _told(UsageError, path):
        path.mkdir(parents=True, exist_ok=True)
        lock = (path / LOCK).open("w")
    with lock:
        if sys.platform == "win32":
            yield
            return
        import fcntl

        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"{path} is being written by another collection: give another -o, or wait") from None
        yield
