"""`openenv.core.env_client`."""

from ..client import (
    EnvClient,
)
from ..client.address import (
    convert_to_ws_url,
)
from ..client.sync import (
    StateT,
)
from ..contract import (
    StepResult,
)
from ..hub.spaces import (
    hf_space_subdomain,
)
from ..launch.docker import (
    LocalDockerProvider,
)
from ..launch.uv import (
    UVProvider,
)

__all__ = [
    "EnvClient",
    "LocalDockerProvider",
    "StateT",
    "StepResult",
    "UVProvider",
    "convert_to_ws_url",
    "hf_space_subdomain",
]
