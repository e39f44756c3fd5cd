"""The echo itself."""

from typing import Any
from uuid import uuid4

from openenv.mcp import MCPEnvironment

from ..models import EchoAction, EchoObservation, EchoState

CHARACTERS_PER_REWARD = 10
GREETING = "Echo environment ready!"


class EchoEnvironment(MCPEnvironment[EchoAction, EchoObservation, EchoState]):
    """Says back what it is told, and rewards each character with 0.1. Its tools say things back too, for no reward."""

    SUPPORTS_CONCURRENT_SESSIONS = True
    REWARD_RANGE = (0.0, None)
    REWARD_KIND = "delta"

    def __init__(self) -> None:
        super().__init__([self.echo_message, self.echo_with_length])
        self._state = EchoState()

    def echo_message(self, message: str) -> str:
        """Say a message back."""
        return message

    def echo_with_length(self, message: str) -> dict[str, str | int]:
        """Say a message back, and how many characters it has."""
        return {"message": message, "length": len(message)}

    def reset(self, seed: int | None = None, episode_id: str | None = None) -> EchoObservation:
        """Greet, and forget what was said. The seed changes nothing, because nothing here is random."""
        self._state = EchoState(episode_id=uuid4().hex if episode_id is None else episode_id)
        return EchoObservation(echoed_message=GREETING)

    def _step_impl(self, action: EchoAction, timeout_s: float | None = None, **options: Any) -> EchoObservation:
        """Say the message back. The reward is 0.1 for each of its characters."""
        self._state.step_count += 1
        self._state.last_message = action.message
        length = len(action.message)
        return EchoObservation(echoed_message=action.message, message_length=length, reward=length / CHARACTERS_PER_REWARD)

    @property
    def state(self) -> EchoState:
        """How many messages there were, and which was the last."""
        return self._state.model_copy()

    def render(self) -> dict[str, str]:
        """Return what was said last, or the greeting: `{"text/plain": …}`."""
        message = self._state.last_message
        return {"text/plain": GREETING if message is None else message}
