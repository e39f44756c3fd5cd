"""Servers on the nodes of a Ray cluster."""

from .provider import RayProvider

__all__ = ["RayProvider"]
