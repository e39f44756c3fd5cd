"""What a server tells Prometheus of its sessions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from ..sessions.registry import Registry

PATH = "/metrics"

SESSIONS, CAPACITY, WAITING = "openenv_sessions", "openenv_sessions_capacity", "openenv_sessions_waiting"


def add_metrics_route(app: FastAPI, registry: Registry) -> None:
    """Give an app `GET /metrics`, where the extra `metrics` is installed; elsewhere nothing.

    It tells the environments in use, how many may be at once, and how many are waited for: of the whole server, whichever of
    its worker processes is asked.
    """
    try:
        from prometheus_client import CollectorRegistry
        from prometheus_client.exposition import choose_encoder
    except ModuleNotFoundError:
        return
    told = CollectorRegistry(auto_describe=False)
    told.register(_Sessions(registry))

    async def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(told), headers={"content-type": content_type})

    app.add_api_route(PATH, metrics, methods=["GET"], include_in_schema=False, response_model=None)


class _Sessions:
    """Reads the numbers when it is asked for them."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily

        registry = self._registry
        for name, meaning, number in (
            (SESSIONS, "Environments in use: one a session, or one a lane", registry.slots_taken),
            (CAPACITY, "Environments that may be in use at once", registry.capacity),
            (WAITING, "Environments that are waited for because all are in use", registry.slots_awaited),
        ):
            gauge = GaugeMetricFamily(name, meaning, labels=["environment"])
            gauge.add_metric([registry.spec.name], number)
            yield gauge
