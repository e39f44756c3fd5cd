"""The client of an OpenSpiel server."""

from __future__ import annotations

from openenv import EnvClient

from .models import OpenSpielAction, OpenSpielObservation, OpenSpielState


class OpenSpielEnv(EnvClient[OpenSpielAction, OpenSpielObservation, OpenSpielState]):
    """Plays OpenSpiel games: `reset` deals, `step` makes the agent's move, the server plays the other seats.

    `reset` takes `seed` and, to choose another game, `game_name`, `game_params`, `agent_player`, `opponent_policy` and
    `mcts_simulations`; each holds for that episode. With `opponent_policy="none"` the client plays every seat.

        with OpenSpielEnv(base_url="http://localhost:8000").sync() as env:
            result = env.reset(seed=7, game_name="tic_tac_toe")
            while not result.done:
                result = env.step(OpenSpielAction(action_id=result.observation.legal_actions[0]))
    """

    server = "openspiel_env.server.app:app"
