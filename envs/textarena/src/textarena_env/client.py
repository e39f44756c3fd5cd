"""The client of a TextArena server."""

from __future__ import annotations

from openenv import EnvClient

from .models import TextArenaAction, TextArenaObservation, TextArenaState


class TextArenaEnv(EnvClient[TextArenaAction, TextArenaObservation, TextArenaState]):
    """Plays TextArena's games: `reset` sets one up, `step` says the agent's message, the server plays the other seats.

    `reset` takes `seed` and, to choose another game, `env_id`, `num_players`, `agent_player`, `opponent_policy`,
    `max_turns` and `env_kwargs`; each holds for that episode.

        with TextArenaEnv(base_url="http://localhost:8000").sync() as env:
            result = env.reset(seed=7, env_id="Wordle-v0")
            while not result.done:
                result = env.step(TextArenaAction(message="[crane]"))
    """

    server = "textarena_env.server.app:app"
