"""Publishing an environment's folder as a Space of the Hub."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from ..errors import PublishError
from ..version import __version__
from .environment_folder import environment_folder
from .hub_failure import refusals_told
from .publication import Publication
from .size import told_size
from .space_folder import SpaceFolder, space_folder
from .spaces import Hub

if TYPE_CHECKING:
    from huggingface_hub import HfApi, SpaceHardware

KEPT_BY_THE_HUB = ".gitattributes"


@dataclass(frozen=True)
class PublishedSpace:
    """A Space that was pushed to.

    Attributes:
        repo_id: with its owner.
        url: of its page.
        pull_request: the page of the pull request that was opened, or None.
    """

    repo_id: str
    url: str
    pull_request: str | None


class Call(NamedTuple):
    """A call at the Hub: how it is told, without secrets, and what makes it."""

    told: str
    make: Callable[[HfApi], None]


Begins = Callable[[str], None]
"""Is called with each call's words as it begins."""


def publish_space(
    folder: Path,
    publication: Publication | None = None,
    *,
    token: str | None = None,
    interface: bool | None = None,
    base_image: str | None = None,
    exclude: Path | None = None,
    begins: Begins = lambda told: None,
) -> PublishedSpace:
    """Push an environment's folder to a Docker Space, which is made where there is none.

    Args:
        folder: the environment, in either layout.
        publication: which Space, and what it is to be; None takes the name in the manifest.
        token: of the Hub that `HF_ENDPOINT` names; None takes `HF_TOKEN`, or what `hf auth login` has stored.
        interface, base_image, exclude: see `space_folder`.
        begins: called with each call's words as it begins.

    Raises:
        UsageError: the folder, a name or a choice is wrong; nothing was called.
        PublishError: not logged in, no rights, the name is taken, the Hub refused or did not answer.
        MissingExtra: the extra `hub` is not installed.
    """
    own = environment_folder(folder)
    chosen = publication or Publication(own.repo_name)
    if not chosen.create_pr:
        chosen = replace(chosen, variables={**own.variables, **chosen.variables})
    return SpacePush(space_folder(own, interface=interface, base_image=base_image, exclude=exclude), chosen).run(token, begins)


class SpacePush:
    """The calls that push files to one Space, in their order."""

    def __init__(self, space: SpaceFolder, publication: Publication) -> None:
        self._space = space
        self._publication = publication
        self._owner = ""
        self._there: list[str] | None = None
        self._is_public = False
        self._url = ""
        self._pull_request: str | None = None

    @property
    def _repo_id(self) -> str:
        """The Space's name, with its owner as soon as that is known."""
        name = self._publication.repo_id
        return f"{self._owner}/{name}" if self._owner and "/" not in name else name

    def calls(self) -> Iterator[Call]:
        """Yield what is called at the Hub, each once the one before is through; nothing is called by that."""
        wanted = self._publication
        yield Call("whoami()" if "/" in wanted.repo_id else f"whoami(), for the owner of {wanted.repo_id}", self._own)
        yield Call(f"space_info({self._repo_id})", self._look)
        if not wanted.create_pr:
            how = "space_sdk=docker, private" if wanted.private else "space_sdk=docker"
            yield Call(f"create_repo({self._repo_id}, {how}), where it is not there", self._create)
            if wanted.private:
                yield Call(f"update_repo_settings({self._repo_id}, private), where it is public", self._hide)
            for name, value in wanted.variables.items():
                yield Call(f"add_space_variable({name}={value})", partial(self._add_variable, name=name, value=value))
            for name, value in wanted.secrets.items():
                yield Call(f"add_space_secret({name})", partial(self._add_secret, name=name, value=value))
            if wanted.hardware is not None:
                yield Call(f"request_space_hardware({wanted.hardware})", self._request_hardware)
        what = f"{len(self._space.files)} files, {told_size(self._space.size_bytes)}"
        gone = f", without {' '.join(wanted.delete)}" if wanted.delete else ""
        yield Call(f"create_commit({what}{gone}{', create_pr' * wanted.create_pr})", self._commit)

    def run(self, token: str | None = None, begins: Begins = lambda told: None) -> PublishedSpace:
        """Make the calls. Arguments and errors are those of `publish_space`."""
        api = Hub(token).api
        for call in self.calls():
            begins(call.told)
            with refusals_told(lambda: self._repo_id):
                call.make(api)
        return PublishedSpace(self._repo_id, self._url, self._pull_request)

    def _own(self, api: HfApi) -> None:
        """Learn who pushes, whose a name without an owner is."""
        self._owner = str(api.whoami()["name"])
        self._url = f"{api.endpoint}/spaces/{self._repo_id}"

    def _look(self, api: HfApi) -> None:
        """Learn whether the Space is there, and which files it has."""
        from huggingface_hub.errors import RepositoryNotFoundError

        try:
            info = api.space_info(self._repo_id)
        except RepositoryNotFoundError:
            if self._publication.create_pr:
                raise PublishError(
                    f"there is no Space {self._repo_id} for a pull request: push it without create_pr first"
                ) from None
            return
        if info.sdk not in (None, "docker"):
            raise PublishError(f"{self._repo_id} is taken, by a Space that runs {info.sdk}: choose another name by --repo-id")
        self._there = [file.rfilename for file in info.siblings or ()]
        self._is_public = not info.private

    def _create(self, api: HfApi) -> None:
        if self._there is None:
            private = True if self._publication.private else None
            api.create_repo(self._repo_id, repo_type="space", space_sdk="docker", private=private)

    def _hide(self, api: HfApi) -> None:
        if self._is_public:
            api.update_repo_settings(self._repo_id, repo_type="space", private=True)

    def _add_variable(self, api: HfApi, name: str, value: str) -> None:
        api.add_space_variable(self._repo_id, name, value)

    def _add_secret(self, api: HfApi, name: str, value: str) -> None:
        api.add_space_secret(self._repo_id, name, value)

    def _request_hardware(self, api: HfApi) -> None:
        api.request_space_hardware(self._repo_id, cast("SpaceHardware", self._publication.hardware))

    def _commit(self, api: HfApi) -> None:
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        sources = [
            CommitOperationAdd(file.path, file.source if isinstance(file.source, bytes) else str(file.source))
            for file in self._space.files
        ]
        wanted = self._publication
        done = api.create_commit(
            self._repo_id,
            [*sources, *map(CommitOperationDelete, self._no_longer())],
            commit_message=wanted.message or f"Push with openenv-core {__version__}",
            repo_type="space",
            create_pr=wanted.create_pr or None,
        )
        self._pull_request = done.pr_url

    def _no_longer(self) -> list[str]:
        """Return the Space's files that are to go and are not pushed again."""
        pushed = {file.path for file in self._space.files} | {KEPT_BY_THE_HUB}
        there = [path for path in self._there or () if path not in pushed]
        return [path for path in there if any(fnmatch(path, pattern) for pattern in self._publication.delete)]
