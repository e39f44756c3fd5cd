"""What the tests of core share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import containers
import pytest
from counting import Counter
from filelock import FileLock
from journal import Journal
from serving import running
from speaking import JSON, MSGPACK

from openenv.launch.docker.engine import sweep
from openenv.launch.swarm.membership import leave_unless_used
from openenv.server import create_app
from openenv.sessions.registry import Registry


@pytest.fixture(scope="session")
def counter_url() -> Iterator[str]:
    """The base URL of a server of `Counter`."""
    with running(create_app(Counter)) as url:
        yield url


@pytest.fixture(scope="session")
def engine() -> Iterator[Any]:
    """A client of the container engine."""
    client = containers.engine()
    yield client
    client.close()


@pytest.fixture(scope="session")
def counter_image(engine: Any) -> str:
    """The name of an image with a server of `Counter`."""
    return containers.build_counter(engine)


@pytest.fixture
def swarm_turn(engine: Any) -> Iterator[None]:
    """No other test does anything with the engine's swarm, in whichever process it runs; nothing of it is left after."""
    with FileLock(Path(tempfile.gettempdir()) / "openenv-test-swarm.lock"):
        yield
        sweep(engine)
        leave_unless_used(engine)


_names = count()


@pytest.fixture
def name() -> str:
    """The name of an episode that no other test has."""
    return f"episode-{next(_names)}"


@pytest.fixture(params=[JSON, MSGPACK])
def codec(request: pytest.FixtureRequest) -> str:
    """Each way to write version 2."""
    subprotocol: str = request.param
    return subprotocol


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, Registry]]:
    """The base URL of a server of `Journal`, and its sessions."""
    app = create_app(Journal)
    with running(app) as url:
        yield url, app.state.registry


@pytest.fixture
def url(server: tuple[str, Registry]) -> str:
    """The base URL of that server."""
    return server[0]
