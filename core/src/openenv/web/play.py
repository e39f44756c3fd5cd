"""An episode that people play by hand while others watch."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from ..contract.models import EnvironmentMetadata
from ..sessions.offers import load_environment_metadata
from ..sessions.registry import Registry
from ..sessions.settings import Settings
from ..sessions.spec import environment_spec
from ..wire import messages
from ..wire.serialization import from_form
from .models import ActionLog, EpisodeState
from .seat import Played, Seat, SeatElsewhere


class WebInterfaceManager:
    """Drives one episode through a session, keeps a log of its steps, and tells connected WebSockets of each change.

    Args:
        env: an environment, its class or a factory. It is called as a server would call it, in a thread or a process.
        action_cls, observation_cls: its models.
        metadata: what is said of it; None asks the environment.
        seat: a session of a server's, to be used on its loop; None makes one of `env` that works from any loop.

    Attributes:
        episode_state: how the episode stands.
        drawing: HTML of the current observation (`Environment.render_web`), or None.
        suggestions: labels and actions for one click (`Environment.web_actions`).
    """

    MAX_ACTION_LOGS: ClassVar[int] = 1000
    """Steps that are kept; older ones are forgotten."""

    def __init__(
        self,
        env: Any,
        action_cls: type[Any],
        observation_cls: type[Any],
        metadata: EnvironmentMetadata | None = None,
        *,
        seat: Seat | None = None,
    ) -> None:
        if seat is None:
            seat = SeatElsewhere(Registry(environment_spec(env, action_cls, observation_cls), Settings.from_environment()))
        self.env = env
        self.action_cls = action_cls
        self.observation_cls = observation_cls
        self.metadata = metadata or load_environment_metadata(env if hasattr(env, "get_metadata") else seat.registry.spec.cls)
        self.episode_state = EpisodeState(step_count=0)
        self.connected_clients: list[Any] = []
        self.drawing: str | None = None
        self.suggestions: list[tuple[str, dict[str, Any]]] = []
        self._seat = seat
        self._state: dict[str, Any] = {"episode_id": None, "step_count": 0}

    async def connect_websocket(self, websocket: Any) -> None:
        """Accept a WebSocket and send it the episode's state, now and after each change."""
        await websocket.accept()
        self.connected_clients.append(websocket)
        await self._tell([websocket])

    async def disconnect_websocket(self, websocket: Any) -> None:
        """Send a WebSocket nothing more; one that is not connected is no error."""
        if websocket in self.connected_clients:
            self.connected_clients.remove(websocket)

    async def reset_environment(self, reset_kwargs: dict[str, Any] | None = None) -> dict[str, Any]:
        """Begin an episode and return its first observation as replies carry it; the log starts afresh.

        Raises:
            OpenEnvError: what a client's reset would have been answered. The episode shown stays the old one.
        """
        played = await self._seat.play(messages.RESET, dict(reset_kwargs or {}))
        self._show(played, [], is_reset=True)
        await self._tell(self.connected_clients)
        return played.reply

    async def step_environment(self, action_data: dict[str, Any]) -> dict[str, Any]:
        """Do an action and return what came of it as replies carry it.

        Args:
            action_data: the action's fields; text where a list or a map is due is read as JSON.

        Raises:
            InvalidActionError: they do not fit the action's model; the environment was not called.
            OpenEnvError: what a client's step would have been answered. Nothing is added to the log.
        """
        data = from_form(action_data, self.action_cls)
        action = self._seat.registry.spec.read_action(data).model_dump(mode="json", exclude={"metadata"})
        played = await self._seat.play(messages.STEP, data)
        entry = ActionLog(
            timestamp=datetime.now().isoformat(),
            action=action,
            observation=played.reply["observation"],
            reward=played.reply["reward"],
            done=played.reply["done"],
            step_count=played.state["step_count"],
        )
        self._show(played, [*self.episode_state.action_logs, entry][-self.MAX_ACTION_LOGS :], is_reset=False)
        await self._tell(self.connected_clients)
        return played.reply

    def get_state(self) -> dict[str, Any]:
        """Return the environment's state as it was after the last reset or step."""
        return dict(self._state)

    def _show(self, played: Played, logs: list[ActionLog], *, is_reset: bool) -> None:
        self._state = played.state
        self.drawing, self.suggestions = played.drawing, played.suggestions
        self.episode_state = EpisodeState(
            episode_id=played.state["episode_id"],
            step_count=played.state["step_count"],
            current_observation=played.reply["observation"],
            action_logs=logs,
            is_reset=is_reset,
        )

    async def _tell(self, websockets: list[Any]) -> None:
        """Send the state to WebSockets; one that cannot be reached any more is forgotten."""
        if not websockets:
            return
        text = f'{{"type": "state_update", "episode_state": {self.episode_state.model_dump_json()}}}'
        for websocket in list(websockets):
            try:
                await websocket.send_text(text)
            except (RuntimeError, OSError):
                await self.disconnect_websocket(websocket)
