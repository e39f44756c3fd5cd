"""What the tests of core share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from counting import Counter
from serving import running

from openenv.server import create_app


@pytest.fixture(scope="session")
def counter_url() -> Iterator[str]:
    """The base URL of a server of `Counter`."""
    with running(create_app(Counter)) as url:
        yield url
