"""OpenSpiel's games behind `reset`, `step` and `state`."""

from __future__ import annotations

import os
import uuid
from contextlib import suppress
from random import Random
from typing import Any

from openenv import Environment, NoEpisodeError

from ..models import SIMULTANEOUS, OpenSpielAction, OpenSpielObservation, OpenSpielState, OpenSpielView
from . import drawing, games, parameters
from .crowd import Crowd
from .match import Match
from .opponents import NONE, Opponent, opponent
from .tree_search import DEFAULT_SIMULATIONS

ACTIONS_NAMED = 50
"""How many legal actions a refusal names at most."""


class OpenSpielEnvironment(Environment[OpenSpielAction, OpenSpielObservation, OpenSpielState]):
    """Board games, card games and grid worlds of OpenSpiel, one seat played by the agent, the others by the server.

    Args:
        game_name: the game of the first episode; None takes OPENSPIEL_GAME, and without it "catch". It may hold
            parameters as OpenSpiel writes them: "go(board_size=9)".
        game_params: its parameters over its defaults.
        agent_player: the agent's seat; None takes OPENSPIEL_AGENT_PLAYER, and without it 0.
        opponent_policy: "random", "first", "last", "mcts", "minimax", or "none" for a client that plays every seat;
            None takes OPENSPIEL_OPPONENT_POLICY, and without it "random".
        mcts_simulations: play-outs a move of "mcts", 2 to 10,000; None takes OPENSPIEL_MCTS_SIMULATIONS, and without it 100.

    Raises:
        ValueError: these do not make a game that can be played; the message says why.
    """

    SUPPORTS_CONCURRENT_SESSIONS = True
    REWARD_RANGE = (None, None)
    REWARD_KIND = "delta"

    def __init__(
        self,
        game_name: str | None = None,
        game_params: dict[str, Any] | None = None,
        agent_player: int | None = None,
        opponent_policy: str | None = None,
        mcts_simulations: int | None = None,
    ) -> None:
        super().__init__()
        self._game = games.load(game_name or os.environ.get("OPENSPIEL_GAME") or "catch", game_params)
        self._seat = _seat_of(self._game, _number("OPENSPIEL_AGENT_PLAYER", 0) if agent_player is None else agent_player)
        self._opponent_policy = opponent_policy or os.environ.get("OPENSPIEL_OPPONENT_POLICY") or "random"
        if mcts_simulations is None:
            mcts_simulations = _number("OPENSPIEL_MCTS_SIMULATIONS", DEFAULT_SIMULATIONS)
        self._mcts_simulations = mcts_simulations
        self._opponent = opponent(self._opponent_policy, self._game, mcts_simulations)
        self._crowd = _crowd_of(self._game, self._opponent_policy)
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
        mcts_simulations: int | None = None,
    ) -> OpenSpielObservation:
        """Deal a new game and return what the agent's seat sees on its first turn.

        What is chosen here stays for later resets until it is chosen anew. The reward is None; what was paid before the
        agent's first turn comes with the first step. Should a game end before that turn, the observation is already
        the last one, with its reward.

        Args:
            seed: decides chance and the opponents: the same seed and moves give the same observations. None: a fresh one.
            episode_id: a name for the episode; None makes one up.
            game_name: OpenSpiel's short name of another game, with its default parameters unless `game_params` is given
                or the name holds some: "go(board_size=9)".
            game_params: parameters over the defaults, of the game named, or else of the game played so far.
            agent_player: the agent's seat, from 0.
            opponent_policy: "random", "first" or "last" legal move, "mcts", "minimax", or "none": every seat is the client's.
            mcts_simulations: play-outs a move of "mcts", 2 to 10,000.

        Raises:
            ValueError: these do not make a game that can be played. The game so far goes on.
        """
        game = self._game_for(game_name, game_params)
        seat = _seat_of(game, self._seat if agent_player is None else agent_player)
        policy = self._opponent_policy if opponent_policy is None else opponent_policy
        simulations = self._mcts_simulations if mcts_simulations is None else mcts_simulations
        other, crowd = self._others(game, policy, simulations)
        # a string, because Random takes -1 and 1 for the same seed
        match = Match(game, seat, other, crowd, Random() if seed is None else Random(str(seed)))
        self._game, self._seat, self._opponent_policy, self._mcts_simulations = game, seat, policy, simulations
        self._opponent, self._crowd, self._match = other, crowd, match
        self._episode_id = uuid.uuid4().hex if episode_id is None else episode_id
        self._step_count = 0
        return self._observation(match, "initial", match.collect() if match.over else None)

    def step(self, action: OpenSpielAction, timeout_s: float | None = None) -> OpenSpielObservation:
        """Make the agent's move, let the others move, and return what the agent's seat sees then.

        Raises:
            ValueError: the move is not legal, or is meant for another game. The game stands where it stood.
            NoEpisodeError: there is no game to move in: `reset` was not called, or the game is over.
        """
        match = self._match
        if match is None:
            raise NoEpisodeError("no game has been dealt: call reset() before step()")
        if match.over:
            raise NoEpisodeError("the game is over: reset() deals the next one")
        if action.game_name is not None or action.game_params:
            self._check_meant(action)
        if action.action_struct is not None or not self._game.num_actions:
            self._play_struct(match, action)
        elif match.current_player == SIMULTANEOUS:
            self._play_together(match, action)
        else:
            self._play_one(match, action)
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
            dynamics=self._game.dynamics,
        )

    def render(self) -> dict[str, str]:
        """Return the game as the agent's seat sees it: `text/plain`, and `image/svg+xml` where it shows a board of cells.

        Under `opponent_policy="none"` it is the seat to move whose view is shown.

        Raises:
            NoEpisodeError: `reset` was not called.
            NotImplementedError: the game has no text of what one seat sees.
        """
        if self._match is None:
            raise NoEpisodeError("no game has been dealt: call reset() before render()")
        text = self._match.text(self._shown_seat(self._match))
        if text is None:
            raise NotImplementedError(f"{self._game.name} has no text of what one seat sees")
        board = None if self._game.text == "information_state_string" else drawing.board_in(text)
        return {"text/plain": text} if board is None else {"text/plain": text, "image/svg+xml": drawing.svg(board)}

    def _game_for(self, name: str | None, params: dict[str, Any] | None) -> games.Game:
        game = self._game
        if name is None:
            name, params = game.name, game.params if params is None else params
        name, params = parameters.parsed(name, params)
        return game if (name, params) == (game.name, game.params) else games.load(name, params)

    def _others(self, game: games.Game, policy: str, simulations: int) -> tuple[Opponent | None, Crowd | None]:
        if game is self._game and (policy, simulations) == (self._opponent_policy, self._mcts_simulations):
            return self._opponent, self._crowd
        return opponent(policy, game, simulations), _crowd_of(game, policy)

    def _play_one(self, match: Match, action: OpenSpielAction) -> None:
        if action.action_id is None:
            raise ValueError("one seat moves: give action_id, not action_ids")
        _check_legal(action.action_id, match.legal_actions(match.current_player))
        match.play(action.action_id)

    def _play_together(self, match: Match, action: OpenSpielAction) -> None:
        seats = self._game.num_players
        if action.action_ids is None or len(action.action_ids) != seats:
            raise ValueError(f"all {seats} seats move at once: give action_ids, one legal action a seat in their order")
        for seat, move in enumerate(action.action_ids):
            _check_legal(move, match.legal_actions(seat) or [0], f" of seat {seat}")
        match.play_together(action.action_ids)

    def _play_struct(self, match: Match, action: OpenSpielAction) -> None:
        if self._game.num_actions:
            raise ValueError(f"the moves of {self._game.name} have numbers: give action_id, not action_struct")
        if action.action_struct is None:
            raise ValueError(
                f"the moves of {self._game.name} have no numbers: give action_struct, such as "
                f"{self._game.spiel.action_struct_spec()[1]}"
            )
        match.play_struct(action.action_struct)

    def _check_meant(self, action: OpenSpielAction) -> None:
        game = self._game
        # older clients send "catch" when nobody has chosen
        meant = game.name if action.game_name in (None, "catch") else action.game_name
        name, params = parameters.parsed(meant, action.game_params)
        if name != game.name:
            raise ValueError(
                f"the action is meant for {action.game_name!r:.100}, but {game.name!r} is played: reset(game_name=…)"
            )
        with suppress(ValueError):
            params = parameters.checked(name, params)
        for key, value in params.items():
            if key not in game.all_params or game.all_params[key] != value:
                raise ValueError(
                    f"the action is meant for {game.name} with {key:.100}={value!r:.100}, "
                    f"but it is played with {game.all_params!s:.120}: reset(game_params=…)"
                )

    def _shown_seat(self, match: Match) -> int:
        return match.current_player if match.current_player >= 0 else self._seat

    def _observation(self, match: Match, phase: str, rewards: list[float] | None) -> OpenSpielObservation:
        over, everyone = match.over, self._opponent_policy == NONE
        sights = [match.sight(seat) for seat in range(self._game.num_players)] if everyone else []
        return OpenSpielObservation(
            **(sights[self._shown_seat(match)] if everyone else match.sight(self._seat)),
            game_phase="terminal" if over else phase,
            current_player_id=match.current_player,
            opponent_last_action=match.opponent_last_action,
            reward=None if rewards is None else rewards[self._seat],
            rewards=rewards if everyone and rewards is not None else [],
            players=[OpenSpielView(player_id=seat, **sight) for seat, sight in enumerate(sights)],
            terminated=over,
        )


def _check_legal(move: int, legal: list[int], whose: str = "") -> None:
    if move not in legal:
        more = f" and {len(legal) - ACTIONS_NAMED} more" if len(legal) > ACTIONS_NAMED else ""
        raise ValueError(f"action {move!r:.50}{whose} is not legal now; legal are {legal[:ACTIONS_NAMED]}{more}")


def _crowd_of(game: games.Game, policy: str) -> Crowd | None:
    return Crowd(game, policy) if game.dynamics == "mean_field" else None


def _number(variable: str, default: int) -> int:
    text = os.environ.get(variable) or str(default)
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{variable}={text!r:.100} is not a whole number") from None


def _seat_of(game: games.Game, seat: int) -> int:
    if type(seat) is not int or not 0 <= seat < game.num_players:
        seats = "only seat 0" if game.num_players == 1 else f"seats 0 to {game.num_players - 1}"
        raise ValueError(f"agent_player must be a seat of {game.name}, which has {seats}, not {seat!r:.100}")
    return seat
