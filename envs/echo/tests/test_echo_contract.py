"""The contract that every environment keeps."""

from echo_env.server.environment import EchoEnvironment
from openenv.testing import EnvironmentContract


class TestEcho(EnvironmentContract):
    environment = EchoEnvironment
