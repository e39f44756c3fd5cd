"""OpenSpiel's games behind `reset`, `step` and `state`."""

from __future__ import annotations

import os
import uuid
from random import Random
from typing import Any

from openenv import Environment

from ..models import OpenSpielAction, OpenSpielObservation, OpenSpielState
from . import games
from .match import Match
from .opponents import opponent


class OpenSpielEnvironment(Environment[OpenSpielAction, OpenSpielObservation, OpenSpielState]):
    """Board games, card games and grid worlds of OpenSpiel, one seat played by the agent, the others by the server.

    Args:
        game_name: the game of the first episode; None takes OPENSPIEL_GAME, and without it "catch".
        game_params: its parameters over its defaults.
        agent_player: the agent's seat; None takes OPENSPIEL_AGENT_PLAYER, and without it 0.
        opponent_policy: "random", "first" or "last"; None takes OPENSPIEL_OPPONENT_POLICY, and without it "random".

    Raises:
        ValueError: these do not make a game that can be played; the message says why.
    """

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(
        self,
        game_name: str | None = None,
        game_params: dict[str, Any] | None = None,
        agent_player: int | None = None,
        opponent_policy: str | None = None,
    ) -> None:
        super().__init__()
        self._game = games.load(game_name or os.environ.get("OPENSPIEL_GAME") or "catch", game_params)
        self._seat = _seat_of(self._game, _seat_from_environment() if agent_player is None else agent_player)
        self._opponent_policy = opponent_policy or os.environ.get("OPENSPIEL_OPPONENT_POLICY") or "random"
        opponent(self._opponent_policy)
        self._match: Match | None = None
        self._episode_id: str | None = None
        self._step_count = 0

    def reset(
        self,
        seed: int | None = None,
        episode_id: str | None = None,
        *,
        game_name: str | None = None,
        game_params: dict[str, Any] | None = None,
        agent_player: int | None = None,
        opponent_policy: str | None = None,
    ) -> OpenSpielObservation:
        """Deal a new game and return what the agent's seat sees on its first turn.

        What is chosen here stays for later resets until it is chosen anew. The reward is None; what was paid before the
        agent's first turn comes with the first step. Should a game end before that turn, the observation is already
        the last one, with its reward.

        Args:
            seed: decides chance and the opponents: the same seed and moves give the same observations. None: a fresh one.
            episode_id: a name for the episode; None makes one up.
            game_name: OpenSpiel's short name of another game, with its default parameters unless `game_params` is given.
            game_params: parameters over the defaults, of the game named, or else of the game played so far.
            agent_player: the agent's seat, from 0.
            opponent_policy: "random", "first" or "last" legal move.

        Raises:
            ValueError: these do not make a game that can be played. The game so far goes on.
        """
        game = self._game_for(game_name, game_params)
        seat = _seat_of(game, self._seat if agent_player is None else agent_player)
        policy = self._opponent_policy if opponent_policy is None else opponent_policy
        # a string, because Random takes -1 and 1 for the same seed
        match = Match(game, seat, opponent(policy), Random() if seed is None else Random(str(seed)))
        self._game, self._seat, self._opponent_policy = game, seat, policy
        self._match = match
        self._episode_id = uuid.uuid4().hex if episode_id is None else episode_id
        self._step_count = 0
        return self._observation(match, "initial", match.collect() if match.over else None)

    def step(self, action: OpenSpielAction, timeout_s: float | None = None) -> OpenSpielObservation:
        """Make the agent's move, let the others move, and return what the agent's seat sees then.

        Raises:
            ValueError: the move is not legal, or is meant for another game. The game stands where it stood.
            RuntimeError: there is no game to move in: `reset` was not called, or the game is over.
        """
        match = self._match
        if match is None:
            raise RuntimeError("no game has been dealt: call reset() before step()")
        if match.over:
            raise RuntimeError("the game is over: reset() deals the next one")
        if action.game_name is not None or action.game_params:
            self._check_meant(action)
        if action.action_id not in match.legal_actions:
            raise ValueError(f"action {action.action_id} is not legal now; legal are {match.legal_actions}")
        match.play(action.action_id)
        self._step_count += 1
        return self._observation(match, "playing", match.collect())

    @property
    def state(self) -> OpenSpielState:
        """Which game is played, by whom, and how many moves the agent has made."""
        return OpenSpielState(
            episode_id=self._episode_id,
            step_count=self._step_count,
            game_name=self._game.name,
            agent_player=self._seat,
            opponent_policy=self._opponent_policy,
            game_params=self._game.params,
            num_players=self._game.num_players,
        )

    def render(self) -> dict[str, str]:
        """Return the game in text as the agent's seat sees it: `{"text/plain": …}`.

        Raises:
            RuntimeError: `reset` was not called.
            NotImplementedError: the game has no text of what one seat sees.
        """
        if self._match is None:
            raise RuntimeError("no game has been dealt: call reset() before render()")
        picture = self._match.picture()
        if picture is None:
            raise NotImplementedError(f"{self._game.name} has no text of what one seat sees")
        return {"text/plain": picture}

    def _game_for(self, name: str | None, params: dict[str, Any] | None) -> games.Game:
        game = self._game
        if name is None:
            name = game.name
            params = game.params if params is None else params
        return game if name == game.name and (params or {}) == game.params else games.load(name, params)

    def _check_meant(self, action: OpenSpielAction) -> None:
        game = self._game
        if action.game_name not in (None, game.name):
            raise ValueError(f"the action is meant for {action.game_name!r}, but {game.name!r} is played: reset(game_name=…)")
        for key, value in action.game_params.items():
            if key not in game.all_params or game.all_params[key] != value:
                raise ValueError(
                    f"the action is meant for {game.name} with {key}={value!r}, "
                    f"but it is played with {game.all_params}: reset(game_params=…)"
                )

    def _observation(self, match: Match, phase: str, reward: float | None) -> OpenSpielObservation:
        over = match.over
        observation = OpenSpielObservation(
            info_state=match.info_state(),
            legal_actions=match.legal_actions,
            game_phase="terminal" if over else phase,
            current_player_id=match.current_player,
            opponent_last_action=match.opponent_last_action,
            reward=reward,
            terminated=over,
        )
        return self._apply_transform(observation)


def _seat_from_environment() -> int:
    text = os.environ.get("OPENSPIEL_AGENT_PLAYER") or "0"
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"OPENSPIEL_AGENT_PLAYER={text!r} is not a whole number") from None


def _seat_of(game: games.Game, seat: int) -> int:
    if type(seat) is not int or not 0 <= seat < game.num_players:
        seats = "only seat 0" if game.num_players == 1 else f"seats 0 to {game.num_players - 1}"
        raise ValueError(f"agent_player must be a seat of {game.name}, which has {seats}, not {seat!r}")
    return seat
