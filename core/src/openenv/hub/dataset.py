"""A data set on the Hub: its repository, and what is pushed to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import PublishError, UsageError
from .hub_failure import refusals_told
from .publication import REPO_ID
from .published_files import secret_in
from .spaces import Hub

if TYPE_CHECKING:
    from huggingface_hub import DatasetInfo

CARD = "README.md"


class DatasetRepository:
    """A repository of the Hub that `HF_ENDPOINT` names, of the kind for data sets. Nothing is called when it is made.

    Args:
        repo_id: `owner/name`, or a name alone, which is then the token's owner's.
        private: whether only its owner may see it; False leaves one that is there as it is.
        token: None takes `HF_TOKEN`, or what `hf auth login` has stored.

    Raises:
        UsageError: the name is none that a repository can have.
        MissingExtra: the extra `hub` is not installed.

    Attributes:
        repo_id: with its owner, once that is known.
    """

    def __init__(self, repo_id: str, *, private: bool = False, token: str | None = None) -> None:
        if not REPO_ID.fullmatch(repo_id):
            told = "it needs letters, digits, -, _ or ., such as me/my_data"
            raise UsageError(f"{repo_id!r} is no name of a data set: {told}")
        self._api = Hub(token).api
        self.repo_id = repo_id
        self._private = private

    @property
    def url(self) -> str:
        """Its page."""
        return f"{self._api.endpoint}/datasets/{self.repo_id}"

    def sign_in(self) -> None:
        """Learn whose the token is, whose a name without an owner is.

        Raises:
            PublishError: there is no token, the Hub does not know it, or the Hub does not answer.
        """
        with self._refusals():
            me = str(self._api.whoami()["name"])
        if "/" not in self.repo_id:
            self.repo_id = f"{me}/{self.repo_id}"

    def push(self, files: Mapping[str, Path], card: str, message: str) -> None:
        """Put files there in one commit, in place of those of the same names; the repository is made where there is none.

        Args:
            files: by their paths in the repository.
            card: its README, where it has none.
            message: of the commit.

        Raises:
            PublishError: a file holds what looks like a token, or the Hub refused or did not answer.
        """
        from huggingface_hub import CommitOperationAdd

        _refuse_secrets(files)
        with self._refusals():
            there = self._found()
            if there is None:
                self._api.create_repo(self.repo_id, repo_type="dataset", private=self._private or None)
            elif self._private and not there.private:
                self._api.update_repo_settings(self.repo_id, repo_type="dataset", private=True)
            added = [CommitOperationAdd(path, str(file)) for path, file in files.items()]
            if there is None or CARD not in [file.rfilename for file in there.siblings or ()]:
                added.append(CommitOperationAdd(CARD, card.encode()))
            self._api.create_commit(self.repo_id, added, commit_message=message, repo_type="dataset")

    def _found(self) -> DatasetInfo | None:
        from huggingface_hub.errors import RepositoryNotFoundError

        try:
            return self._api.dataset_info(self.repo_id)
        except RepositoryNotFoundError:
            return None

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        with refusals_told(lambda: self.repo_id, option="--push-to-hub"):
            yield


def _refuse_secrets(files: Mapping[str, Path]) -> None:
    for path, file in files.items():
        with file.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if told := secret_in(line, number):
                    raise PublishError(f"{path} has what looks like {told}, and is not pushed: take it out of {file}")
