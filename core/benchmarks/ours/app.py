"""The app of the environment that is measured, of the kind that `BENCH_KIND` says."""

from __future__ import annotations

import os

from ours.environment import Move, game, observation

from openenv.server import create_app

KIND = os.environ["BENCH_KIND"]
app = create_app(game(KIND), Move, observation(KIND))
