"""Spaces of the Hugging Face Hub: what the Hub says of one, and its files."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import LaunchError, MissingExtra
from .hub_failure import http_error, why_not

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_SEPARATORS = re.compile(r"[/._]")

REGISTRY = "registry.hf.space"
REGISTRY_VARIABLE = "OPENENV_SPACE_REGISTRY"
"""An environment variable that names another registry with the same images: a mirror."""


def hf_space_subdomain(repo_id: str) -> str:
    """Return the part before `.hf.space` of a Space's address: `openenv-echo-env` for `OpenEnv/echo_env`."""
    return _SEPARATORS.sub("-", repo_id.strip()).lower()


def space_image(repo_id: str) -> str:
    """Return the name of a Space's container image: `registry.hf.space/openenv-echo-env:latest`."""
    return _image(hf_space_subdomain(repo_id))


def _image(subdomain: str) -> str:
    return f"{os.environ.get(REGISTRY_VARIABLE) or REGISTRY}/{subdomain}:latest"


@dataclass(frozen=True)
class Space:
    """What the Hub says of a Space.

    Attributes:
        repo_id: as the Hub spells it.
        url: where it is served, `https://<subdomain>.hf.space`.
        is_private: whether it wants its users' token.
        stage: `RUNNING`, `SLEEPING`, `PAUSED`, `BUILD_ERROR` …; None where the Hub does not say.
        image: the name of its container image.
        error: what the Hub says that went wrong; None for nothing.
    """

    repo_id: str
    url: str
    is_private: bool
    stage: str | None
    image: str
    error: str | None = None


class Hub:
    """The Hub that `HF_ENDPOINT` names; needs the extra `hub`.

    Args:
        token: shows who asks; None takes `HF_TOKEN`, or what `hf auth login` has stored.

    Raises:
        MissingExtra: huggingface_hub is not installed.
    """

    def __init__(self, token: str | None = None) -> None:
        try:
            import huggingface_hub
        except ImportError as error:
            raise MissingExtra("this needs the huggingface_hub package: pip install 'openenv-core[hub]'") from error
        self.token = token or huggingface_hub.get_token()
        self.api: HfApi = huggingface_hub.HfApi(os.environ.get("HF_ENDPOINT"), self.token)

    def space(self, repo_id: str) -> Space:
        """Return what the Hub says of a Space, under the name and at the address that the Hub gives it.

        Raises:
            LaunchError: there is none of that name that the token may see, or the Hub does not answer.
        """
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError

        try:
            info = self.api.space_info(repo_id)
        except (HfHubHTTPError, HFValidationError, http_error()) as error:
            raise self._failure(repo_id, error) from error
        subdomain = info.subdomain or hf_space_subdomain(info.id)
        url = info.host or f"https://{subdomain}.hf.space"
        stage = None if info.runtime is None else str(info.runtime.stage)
        wrong = None if info.runtime is None else info.runtime.raw.get("errorMessage")
        return Space(info.id, url, bool(info.private), stage, _image(subdomain), wrong)

    def credentials(self) -> tuple[str, str]:
        """Return the name and the password that the Hub's registry of images takes. Raises `LaunchError` without a token."""
        from huggingface_hub.errors import HfHubHTTPError

        if not self.token:
            raise LaunchError("the Hub's registry wants a token: set HF_TOKEN, or give token=")
        try:
            return str(self.api.whoami()["name"]), self.token
        except (HfHubHTTPError, http_error()) as error:
            raise LaunchError(f"the Hub does not say whose the token is: {why_not(error)}") from error

    def files(self, repo_id: str) -> Path:
        """Fetch a Space's files, as far as they are not here yet, and return their folder. Raises as `space` does."""
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

        try:
            return Path(self.api.snapshot_download(repo_id, repo_type="space"))
        except (HfHubHTTPError, HFValidationError, http_error(), LocalEntryNotFoundError) as error:
            raise self._failure(repo_id, error) from error

    def _failure(self, repo_id: str, error: Exception) -> LaunchError:
        from huggingface_hub.errors import RepositoryNotFoundError

        if isinstance(error, RepositoryNotFoundError):
            seen = "the token given may not see it" if self.token else "it is private: set HF_TOKEN, or give token="
            return LaunchError(f"there is no Space {repo_id!r} on the Hub, or {seen}")
        return LaunchError(f"the Hub did not give the Space {repo_id!r}: {why_not(error)}")
