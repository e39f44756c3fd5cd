"""The echo itself."""

from uuid import uuid4

from openenv import Environment

from ..models import EchoAction, EchoObservation, EchoState

CHARACTERS_PER_REWARD = 10
GREETING = "Echo environment ready!"


class EchoEnvironment(Environment[EchoAction, EchoObservation, EchoState]):
    """Says back what it is told, and rewards each character with 0.1."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self) -> None:
        super().__init__()
        self._state = EchoState()

    def reset(self, seed: int | None = None, episode_id: str | None = None) -> EchoObservation:
        self._state = EchoState(episode_id=episode_id or uuid4().hex)
        return EchoObservation(echoed_message=GREETING)

    def step(self, action: EchoAction, timeout_s: float | None = None) -> EchoObservation:
        self._state.step_count += 1
        self._state.last_message = action.message
        length = len(action.message)
        return EchoObservation(echoed_message=action.message, message_length=length, reward=length / CHARACTERS_PER_REWARD)

    @property
    def state(self) -> EchoState:
        return self._state

    def render(self) -> dict[str, str]:
        return {"text/plain": self._state.last_message or GREETING}
