"""Further GET endpoints, described rather than written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel


@dataclass
class GetEndpointConfig:
    """One GET endpoint.

    Attributes:
        path: where it is.
        handler: returns what it answers.
        response_model: a model, or `dict`.
        tag, summary, description: for the documentation at `/docs`.
    """

    path: str
    handler: Callable[[], BaseModel | dict[str, Any]]
    response_model: type[BaseModel] | type[dict[str, Any]]
    tag: str
    summary: str
    description: str


def register_get_endpoints(app: FastAPI, configs: Iterable[GetEndpointConfig]) -> None:
    """Give an application endpoints."""
    for config in configs:
        app.add_api_route(
            config.path,
            config.handler,
            methods=["GET"],
            response_model=config.response_model,
            tags=[config.tag],
            summary=config.summary,
            description=config.description,
        )
