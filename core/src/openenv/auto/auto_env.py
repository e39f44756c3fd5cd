"""`openenv.auto.auto_env`."""

from ..client.auto import (
    AutoEnv,
)
from ..client.discovery import (
    get_discovery,
)
from ..contract.running import (
    run_async_safely,
)
from ..hub.spaces import (
    hf_space_subdomain,
)

__all__ = [
    "AutoEnv",
    "get_discovery",
    "hf_space_subdomain",
    "run_async_safely",
]
