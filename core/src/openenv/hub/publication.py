"""What a Space is to be, beside its files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import UsageError

REPO_ID = re.compile(r"(?:[A-Za-z0-9][\w.-]*/)?[A-Za-z0-9][\w.-]*", re.ASCII)
"""A name on the Hub, `owner/name` or a name alone."""


@dataclass(frozen=True)
class Publication:
    """Which Space is pushed to, and what it is to be beside its files.

    Attributes:
        repo_id: `owner/name`, or a name alone, which is then the token's owner's.
        private: whether only its owner may see it; False leaves a Space that is there as it is.
        create_pr: whether a pull request is opened at a Space that is there, instead of changing it.
        delete: patterns of files that the Space no longer has; `*` is every file that is not pushed again.
        hardware: what it runs on, `t4-small`; None leaves that to the Hub.
        variables: of its server's environment, which everybody may read.
        secrets: the same, which nobody may.
        message: of the commit; None says which version of this package pushed it.

    Raises:
        UsageError: the name is none that a Space can have, or a pull request is to change more than files.
    """

    repo_id: str
    private: bool = False
    create_pr: bool = False
    delete: Sequence[str] = ()
    hardware: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    message: str | None = None

    def __post_init__(self) -> None:
        if not REPO_ID.fullmatch(self.repo_id):
            raise UsageError(f"{self.repo_id!r} is no name of a Space: it needs letters, digits, -, _ or ., such as me/my_game")
        if self.create_pr and (self.private or self.hardware or self.variables or self.secrets):
            raise UsageError("a pull request changes files alone: leave private, hardware, variables and secrets out")
        both = self.variables.keys() & self.secrets.keys()
        if both:
            raise UsageError(f"{', '.join(sorted(both))} cannot be a variable and a secret: choose one")
