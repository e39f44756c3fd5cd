"""The class that an author of an environment inherits to test it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import pytest

from .rules import RULES
from .subject import Subject
from .subject import legal_actions as listed_by
from .verdict import DoesNotApply


class EnvironmentContract:
    """What every environment owes its users, as tests.

        class TestMyGame(EnvironmentContract):
            environment = MyGame

    A rule that says nothing about an environment is skipped with the reason. To except a rule, set its test to None and say
    why beside it.

    Attributes:
        environment: the class, or a factory of environments.
        reset_options: what every reset is given beside the seed.
        longest: steps after which an episode is left. Default 60.
    """

    environment: ClassVar[Any] = None
    reset_options: ClassVar[dict[str, Any]] = {}
    longest: ClassVar[int] = 60

    def legal(self, observation: dict[str, Any]) -> Sequence[Any] | None:
        """Return the actions that may be done after an observation: dicts, or values of the one field that an action needs.

        None says that whatever the schema allows may be tried. By default the observation's `legal_actions`, if it has any.
        """
        return listed_by(observation)

    def comparable(self, observation: dict[str, Any]) -> dict[str, Any]:
        """Return an observation without what may differ between two runs of the same seed and actions, such as times."""
        return observation

    @pytest.fixture(scope="class")
    @classmethod
    def subject(cls, request: pytest.FixtureRequest) -> Subject:
        """The environment as the rules see it; a server's where `--openenv-url` names one."""
        url = request.config.getoption("--openenv-url", None)
        if cls.environment is None and url is None:
            raise pytest.UsageError(f"{cls.__name__} needs `environment = MyEnvironment`")
        written = cls()
        return Subject(
            environment=None if url else cls.environment,
            url=url,
            reset_options=cls.reset_options,
            legal=written.legal,
            comparable=written.comparable,
            longest=cls.longest,
        )

    def test_metadata(self, subject: Subject) -> None:
        hold("metadata", subject)

    def test_types(self, subject: Subject) -> None:
        hold("types", subject)

    def test_legal_actions(self, subject: Subject) -> None:
        hold("legal_actions", subject)

    def test_illegal_actions(self, subject: Subject) -> None:
        hold("illegal_actions", subject)

    def test_resetting(self, subject: Subject) -> None:
        hold("resetting", subject)

    def test_state(self, subject: Subject) -> None:
        hold("state", subject)

    def test_endings(self, subject: Subject) -> None:
        hold("endings", subject)

    def test_after_the_end(self, subject: Subject) -> None:
        hold("after_the_end", subject)

    def test_rewards(self, subject: Subject) -> None:
        hold("rewards", subject)

    def test_reward_range(self, subject: Subject) -> None:
        hold("reward_range", subject)

    def test_rendering(self, subject: Subject) -> None:
        hold("rendering", subject)

    def test_seeding(self, subject: Subject) -> None:
        hold("seeding", subject)

    def test_global_randomness(self, subject: Subject) -> None:
        hold("global_randomness", subject)

    def test_over_the_wire(self, subject: Subject) -> None:
        hold("over_the_wire", subject)

    def test_cross_talk(self, subject: Subject) -> None:
        hold("cross_talk", subject)

    def test_closing(self, subject: Subject) -> None:
        hold("closing", subject)

    def test_leaks(self, subject: Subject) -> None:
        hold("leaks", subject)


def hold(rule: str, subject: Subject) -> None:
    """Hold a subject against one rule. Skips where that says nothing about it."""
    try:
        RULES[rule](subject)
    except DoesNotApply as reason:
        pytest.skip(str(reason))
