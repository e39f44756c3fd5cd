"""`openenv.core.tools.git_server_client`: repositories of a Gitea server."""

from ...launch.git_server import (
    GitServerClient,
    RepoInfo,
)

__all__ = [
    "GitServerClient",
    "RepoInfo",
]
