"""Where the Spaces of the Hub are served."""

from __future__ import annotations

import re

_SEPARATORS = re.compile(r"[/._]")


def hf_space_subdomain(repo_id: str) -> str:
    """Return the part before `.hf.space` of a Space's address: `openenv-echo-env` for `OpenEnv/echo_env`."""
    return _SEPARATORS.sub("-", repo_id.strip()).lower()
