"""Which files of a folder are published, and which never are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError
from .ignore_patterns import ignore_patterns, pattern_lines

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

SECRET_FILES = [
    ".env",
    ".env.*",
    "!.env.example",
    "!.env.sample",
    "!.env.template",
    ".envrc",
    ".netrc",
    ".pypirc",
    ".aws/",
    ".ssh/",
]
SECRET_FILES += ["*.pem", "*.key", "id_rsa", "id_ecdsa", "id_ed25519"]
"""Patterns of what never leaves this machine, whatever else is said."""

LEFT_BEHIND = [
    ".git",
    ".hg",
    ".svn",
    "__pycache__/",
    "*.py[cod]",
    "*.egg-info/",
    ".venv/",
    "/venv/",
    "node_modules/",
    ".DS_Store",
]
LEFT_BEHIND += ["/build/", "/dist/", ".pytest_cache/", ".mypy_cache/", ".ruff_cache/", ".hypothesis/", ".coverage"]
"""Patterns of what versioning, running and building leave in a folder."""

IGNORE_FILE = ".gitignore"

SECRETS = {
    "a token of the Hub": rb"\bhf_[A-Za-z0-9]{30,}",
    "a token of GitHub": rb"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{40,})",
    "a key of a model's endpoint": rb"\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{40,}",
    "a key of AWS": rb"\bAKIA[0-9A-Z]{16}\b",
    "a private key": rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s+\S",
}
_SECRET = re.compile(b"|".join(b"(%s)" % pattern for pattern in SECRETS.values()))
SEARCHED_BYTES = 1_000_000
"""Larger files are data, and are not searched for secrets."""


@dataclass(frozen=True)
class PublishedFiles:
    """The files of a folder.

    Attributes:
        shown: by their path in the folder, with `/`.
        secret: paths of those that are kept back because such files hold secrets.
    """

    shown: dict[str, Path]
    secret: tuple[str, ...]


def published_files(root: Path, exclude: Path | None = None) -> PublishedFiles:
    """Return the files of a folder but for what its `.gitignore` files leave out, and what running leaves behind.

    Args:
        root: the folder.
        exclude: a file of further patterns to leave out, as in a `.gitignore`.

    Raises:
        UsageError: there is no such file of patterns, or a link leads out of the folder.
        MissingExtra: the extra `hub` is not installed.
    """
    spec = ignore_patterns()
    ignored = [(root, spec.from_lines(LEFT_BEHIND))]
    if exclude is not None:
        ignored.append((root, spec.from_lines(pattern_lines(exclude))))
    secret = spec.from_lines(SECRET_FILES)
    shown, kept = dict[str, Path](), list[str]()
    for path in _below(root, ignored, spec):
        name = path.relative_to(root).as_posix()
        if secret.match_file(name):
            kept.append(name)
        else:
            shown[name] = _inside(path, root)
    return PublishedFiles(shown, tuple(kept))


def secret_in(content: bytes, first_line: int = 1) -> str | None:
    """Say what secret some content holds, and in which line, or None where it seems to hold none; never the secret itself.

    Args:
        content: of a file, or part of it.
        first_line: the number of its first line.
    """
    found = _SECRET.search(content)
    if found is None:
        return None
    kind = list(SECRETS)[(found.lastindex or 1) - 1]
    line = content.count(b"\n", 0, found.start()) + first_line
    return f"{kind} in line {line}"


def _below(root: Path, ignored: list[tuple[Path, GitIgnoreSpec]], spec: type[GitIgnoreSpec]) -> Iterator[Path]:
    """Yield the files below a folder, in order of their names."""
    own = root / IGNORE_FILE
    if own.is_file():
        ignored = [*ignored, (root, spec.from_lines(pattern_lines(own)))]
    for path in sorted(root.iterdir()):
        is_folder = path.is_dir() and not path.is_symlink()
        if any(rule.match_file(path.relative_to(place).as_posix() + "/" * is_folder) for place, rule in ignored):
            continue
        if is_folder:
            yield from _below(path, ignored, spec)
        else:
            yield path


def _inside(path: Path, root: Path) -> Path:
    if path.is_symlink() and not (path.resolve().is_relative_to(root) and path.is_file()):
        raise UsageError(f"{path.relative_to(root)} is a link to {path.readlink()}: put the file there itself, or leave it out")
    return path
