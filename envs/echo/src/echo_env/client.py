"""The client of the echo environment."""

from openenv import EnvClient

from .models import EchoAction, EchoObservation, EchoState


class EchoEnv(EnvClient[EchoAction, EchoObservation, EchoState]):
    """Plays the echo environment."""

    server = "echo_env.server.app:app"
