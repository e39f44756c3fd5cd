"""A client that waits long for a server to come back says so, and says when it is back."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest
from counting import Count, CounterEnv

from openenv.errors import SessionLost
from openenv.launch.process import ProcessProvider

TRYING = "ended: trying to come back to its session"


async def test_a_client_whose_server_is_killed_says_that_it_tries(caplog: pytest.LogCaptureFixture) -> None:
    provider: Any = ProcessProvider("serving_counter:app", env_vars={"PYTHONPATH": str(Path(__file__).parent)})
    url = provider.start()
    provider.wait_for_ready()
    awaited, blocking = CounterEnv(base_url=url), CounterEnv(base_url=url).sync()
    await awaited.reset()
    await asyncio.to_thread(blocking.reset)
    provider._process._process.kill()
    with caplog.at_level(logging.WARNING, "openenv.client"):
        steps = (awaited.step(Count(amount=1)), asyncio.to_thread(blocking.step, Count(amount=1)))
        lost = await asyncio.gather(*steps, return_exceptions=True)
    assert [type(error) for error in lost] == [SessionLost, SessionLost]
    assert [TRYING in message for message in caplog.messages] == [True, True]
    await awaited.close()
    blocking.close()
    provider.stop()
