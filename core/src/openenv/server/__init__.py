"""An environment as a web service."""

from .app import create_app, create_fastapi_app
from .run import serve

__all__ = ["create_app", "create_fastapi_app", "serve"]
