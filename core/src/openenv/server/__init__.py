"""An environment as a web service."""

from .app import create_app, create_fastapi_app, create_web_interface_app
from .env_server import HTTPEnvServer
from .run import serve

__all__ = ["HTTPEnvServer", "create_app", "create_fastapi_app", "create_web_interface_app", "serve"]
