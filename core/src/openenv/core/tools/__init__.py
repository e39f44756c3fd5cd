"""`openenv.core.tools`: what environments use."""

from ...launch.git_server import (
    GitServerClient,
    RepoInfo,
)

PyExecutor = None
"""As in the published package where nothing that could run Python is installed."""

__all__ = [
    "GitServerClient",
    "PyExecutor",
    "RepoInfo",
]
