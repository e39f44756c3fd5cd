"""What is refused changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from coding_env import CodeAction
from coding_env.server.environment import CodingEnvironment


@pytest.fixture
def environment() -> Iterator[CodingEnvironment]:
    made = CodingEnvironment()
    yield made
    made.close()


def test_a_reset_that_is_refused_leaves_the_episode(environment: CodingEnvironment) -> None:
    environment.reset(episode_id="first")
    environment.step(CodeAction(code="x = 1"))
    wrong: Any = 5
    with pytest.raises(ValueError, match="episode_id"):
        environment.reset(episode_id=wrong)
    assert environment.step(CodeAction(code="print(x)")).stdout == "1\n"
    assert environment.state.episode_id == "first"


def test_standard_input_is_for_reading_only(environment: CodingEnvironment) -> None:
    environment.reset(executor="cpython")
    seen = environment.step(CodeAction(code="import os\nprint(os.write(0, b'x'))"))
    assert (seen.stdout, seen.exit_code) == ("", 1)
    assert "Bad file descriptor" in seen.stderr
