"""The contract that every environment keeps, in games of several kinds."""

from __future__ import annotations

from typing import Any

from openenv.testing import EnvironmentContract
from textarena_env.server.environment import TextArenaEnvironment


class Games(EnvironmentContract):
    __test__ = False
    environment = TextArenaEnvironment
    said: tuple[str, ...] = ()

    def legal(self, observation: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"message": message} for message in self.said]


class TestWordle(Games):
    __test__ = True
    reset_options = {"env_id": "Wordle-v0"}
    said = ("[crane]", "[sloth]", "[pudgy]", "nothing")


class TestTicTacToe(Games):
    __test__ = True
    reset_options = {"env_id": "TicTacToe-v0", "opponent_policy": "none"}
    said = tuple(f"[{square}]" for square in range(9))


class TestPoker(Games):
    __test__ = True
    reset_options = {"env_id": "KuhnPoker-v0"}
    said = ("[check]", "[bet]", "[call]", "[fold]")
