"""`openenv.core.env_server.route_config`."""

from ...server.get_endpoints import (
    GetEndpointConfig,
    register_get_endpoints,
)

__all__ = [
    "GetEndpointConfig",
    "register_get_endpoints",
]
