"""A pytest plugin for tests of environments: `pytest -p openenv.testing.plugin`, or `pytest_plugins` in a conftest.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let contracts be held against a server."""
    group = parser.getgroup("openenv")
    group.addoption("--openenv-url", default=None, help="hold every EnvironmentContract against the server at this URL")


@pytest.fixture
def serve_environment() -> Iterator[Callable[..., str]]:
    """Call it with an environment, and what else `create_app` takes: it returns the base URL of a server for this test."""
    from ..server import create_app
    from ..server.background import in_background

    with ExitStack() as stack:

        def serve(env: Any, *models: Any, **settings: Any) -> str:
            return stack.enter_context(in_background(create_app(env, *models, **settings)))

        yield serve
