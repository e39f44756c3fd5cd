"""What is said to the echo, and what it answers."""

from pydantic import Field

from openenv import Action, Observation, State


class EchoAction(Action):
    """Say something."""

    message: str = Field(description="What to say")


class EchoObservation(Observation):
    """What comes back; after a reset, a greeting."""

    echoed_message: str = Field(default="", description="What was said, unchanged")
    message_length: int = Field(default=0, ge=0, description="Its number of characters")


class EchoState(State):
    """Where an episode stands."""

    last_message: str | None = Field(default=None, description="What was said last; None before the first step")
