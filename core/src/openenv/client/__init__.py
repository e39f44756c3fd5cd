"""Playing environments, wherever they run."""

from .base import EnvClient
from .generic import GenericAction, GenericEnvClient
from .sync import SyncEnvClient

__all__ = ["EnvClient", "GenericAction", "GenericEnvClient", "SyncEnvClient"]
