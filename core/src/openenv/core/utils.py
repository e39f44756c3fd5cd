"""`openenv.core.utils`."""

from ..client.address import (
    convert_to_ws_url,
)
from ..contract.running import (
    run_async_safely,
)
from ..hub.spaces import (
    hf_space_subdomain,
)

__all__ = [
    "convert_to_ws_url",
    "hf_space_subdomain",
    "run_async_safely",
]
