"""`openenv.core.http_env_client`: the older synchronous client."""

from ..client.http_env_client import (
    HTTPEnvClient,
)
from ..contract import (
    StepResult,
)

__all__ = [
    "HTTPEnvClient",
    "StepResult",
]
