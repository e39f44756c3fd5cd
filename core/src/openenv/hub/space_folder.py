"""What a Space of an environment's folder holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import UsageError
from .dockerfile import published_dockerfile
from .environment_folder import EnvironmentFolder
from .front_matter import PLAYGROUND_PATH, front_matter, space_readme
from .published_files import SEARCHED_BYTES, published_files, secret_in

LARGEST_SPACE_BYTES = 1_000_000_000
"""What the Hub takes for a Space's files, all together."""


@dataclass(frozen=True)
class SpaceFile:
    """One file of a Space.

    Attributes:
        path: in the Space.
        source: where it lies here, or what it holds where that was changed for the Space.
        size_bytes: of its content.
        told: what was done to it for the Space; empty where nothing was.
    """

    path: str
    source: Path | bytes
    size_bytes: int
    told: str = ""

    def content(self) -> bytes:
        """Return what it holds."""
        return self.source if isinstance(self.source, bytes) else self.source.read_bytes()


@dataclass(frozen=True)
class SpaceFolder:
    """The files of a Space.

    Attributes:
        files: by path.
        secret: paths of the folder's files that are not in the Space, because such files hold secrets.
    """

    files: tuple[SpaceFile, ...]
    secret: tuple[str, ...]

    @property
    def size_bytes(self) -> int:
        """All files together."""
        return sum(file.size_bytes for file in self.files)


def space_folder(
    folder: EnvironmentFolder,
    *,
    interface: bool | None = None,
    base_image: str | None = None,
    exclude: Path | None = None,
) -> SpaceFolder:
    """Return what a Space of a folder holds; nothing in the folder is changed.

    The README's front matter is completed, and a Dockerfile that lies elsewhere becomes the Space's own.

    Args:
        folder: the environment.
        interface: whether the Space opens its playground; None does where the README's front matter says `base_path: /web`.
        base_image: see `published_dockerfile`.
        exclude: see `published_files`.

    Raises:
        UsageError: the front matter is of another kind of Space or port, a file holds what looks like a token, there is
            more than a Space takes, or as `published_files` and `published_dockerfile` do.
        MissingExtra: the extra `hub` is not installed.
    """
    found = published_files(folder.root, exclude)
    readme = folder.root / "README.md"
    text = readme.read_text(encoding="utf-8") if readme.is_file() else f"# {folder.name.title}\n"
    if interface is None and (front_matter(text) or {}).get("base_path") == PLAYGROUND_PATH:
        interface = True
    written = folder.dockerfile.read_text(encoding="utf-8")
    own = {
        path: SpaceFile(path, place, place.stat().st_size) for path, place in found.shown.items() if place != folder.dockerfile
    }
    own["README.md"] = _finished(readme, text, space_readme(text, folder.name.title, folder.port, interface), folder)
    own["Dockerfile"] = _finished(folder.dockerfile, written, published_dockerfile(written, base_image, interface), folder)
    space = SpaceFolder(tuple(own[path] for path in sorted(own)), found.secret)
    _refuse_secrets(space)
    _refuse_excess(space)
    return space


def _finished(place: Path, text: str, finished: str, folder: EnvironmentFolder) -> SpaceFile:
    """Return a file of the Space's root: as it lies here, or with what was changed in it."""
    name = place.name if place.name == "README.md" else "Dockerfile"
    moved = place.parent != folder.root or place.name != name
    told = [f"from {place.relative_to(folder.root) if place.is_relative_to(folder.root) else place}"] * moved
    if not place.is_file():
        told.append("written for the Space")
    elif text != finished:
        told.append("changed for the Space")
    else:
        return SpaceFile(name, place, place.stat().st_size, ", ".join(told))
    return SpaceFile(name, finished.encode(), len(finished.encode()), ", ".join(told))


def _refuse_secrets(space: SpaceFolder) -> None:
    for file in space.files:
        told = secret_in(file.content()) if file.size_bytes <= SEARCHED_BYTES else None
        if told is not None:
            raise UsageError(f"{file.path} has what looks like {told}: take it out, or leave the file out by --exclude")


def _refuse_excess(space: SpaceFolder) -> None:
    if space.size_bytes > LARGEST_SPACE_BYTES:
        largest = max(space.files, key=lambda file: file.size_bytes)
        raise UsageError(
            f"the files are {space.size_bytes / 1e9:.1f} GB, and a Space takes {LARGEST_SPACE_BYTES / 1e9:.0f}; "
            f"the largest is {largest.path} ({largest.size_bytes / 1e9:.1f} GB): leave out by --exclude what is not needed"
        )
