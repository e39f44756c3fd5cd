"""The contract that every environment keeps, in games of several kinds."""

from __future__ import annotations

from typing import Any

from openenv.testing import EnvironmentContract
from openspiel_env.server.environment import OpenSpielEnvironment


class Games(EnvironmentContract):
    __test__ = False
    environment = OpenSpielEnvironment

    def legal(self, observation: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"action_id": action} for action in observation["legal_actions"]]


class TestCatch(Games):
    __test__ = True


class TestHiddenCards(Games):
    __test__ = True
    reset_options = {"game_name": "leduc_poker"}


class TestSimultaneous(Games):
    __test__ = True
    reset_options = {"game_name": "goofspiel"}


class TestChance(Games):
    __test__ = True
    reset_options = {"game_name": "backgammon"}
    longest = 20
