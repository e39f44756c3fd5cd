"""The client of the Connect Four environment."""

from openenv import EnvClient

from .models import Connect4Action, Connect4Observation, Connect4State


class Connect4Env(EnvClient[Connect4Action, Connect4Observation, Connect4State]):
    """Plays Connect Four: `reset` clears the board, `step` drops a stone.

    `reset` takes `seed`, `opponent_policy`, `opponent_depth`, `agent_first` and `invalid_move`; each holds for that episode.
    """

    server = "connect4_env.server.app:app"
