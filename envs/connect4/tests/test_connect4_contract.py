"""The contract that every environment keeps."""

from connect4_env.server.environment import Connect4Environment
from openenv.testing import EnvironmentContract


class TestSelfPlay(EnvironmentContract):
    environment = Connect4Environment


class TestAgainstRandom(EnvironmentContract):
    environment = Connect4Environment
    reset_options = {"opponent_policy": "random", "agent_first": False, "invalid_move": "lose"}
