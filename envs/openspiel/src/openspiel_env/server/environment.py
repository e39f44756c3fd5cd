"""OpenSpiel's games behind `reset`, `step` and `state`."""

from __future__ import annotations

import os
import uuid
from contextlib import suppress
from random import Random
from typing import Any

from openenv import Environment, NoEpisodeError

from ..models import SIMULTANEOUS, OpenSpielAction, OpenSpielObservation, OpenSpielState, OpenSpielView
from . import drawing, parameters
from .match import Match
from .opponents import NONE
from .setup import Setup
from .tree_search import DEFAULT_SIMULATIONS

ACTIONS_NAMED = 50
"""How many legal actions a refusal names at most."""


class OpenSpielEnvironment(Environment[OpenSpielAction, OpenSpielObservation, OpenSpielState]):
    """Board games, card games and grid worlds of OpenSpiel, one seat played by the agent, the others by the server.

    Args:
        game_name: the game of episodes whose `reset` names none; None takes OPENSPIEL_GAME, and without it "catch". It may hold
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
        self._defaults = self._setup = Setup.of(
            game_name or os.environ.get("OPENSPIEL_GAME") or "catch",
            game_params,
            _number("OPENSPIEL_AGENT_PLAYER", 0) if agent_player is None else agent_player,
            opponent_policy or os.environ.get("OPENSPIEL_OPPONENT_POLICY") or "random",
            _number("OPENSPIEL_MCTS_SIMULATIONS", DEFAULT_SIMULATIONS) if mcts_simulations is None else mcts_simulations,
        )
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

        What is chosen here holds for this episode; what is not is as the class was told. The reward is None; what was paid
        before the agent's first turn comes with the first step. Should a game end before that turn, the observation is
        already the last one, with its reward.

        Args:
            seed: decides chance and the opponents: the same seed and moves give the same observations. None: a fresh one.
            episode_id: a name for the episode; None makes one up.
            game_name: OpenSpiel's short name of a game, with its default parameters unless `game_params` is given or the
                name holds some: "go(board_size=9)".
            game_params: over the parameters of the game named, or else of the class's game.
            agent_player: the agent's seat, from 0.
            opponent_policy: "random", "first" or "last" legal move, "mcts", "minimax", or "none": every seat is the client's.
            mcts_simulations: play-outs a move of "mcts", 2 to 10,000.

        Raises:
            ValueError: these do not make a game that can be played. The game so far goes on.
        """
        setup = self._defaults.changed(self._setup, game_name, game_params, agent_player, opponent_policy, mcts_simulations)
        # a string, because Random takes -1 and 1 for the same seed
        rng = Random() if seed is None else Random(str(seed))
        match = Match(setup.game, setup.seat, setup.opponent, setup.crowd, rng)
        self._setup, self._match = setup, match
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
        if action.action_struct is not None or not self._setup.game.num_actions:
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
        setup, game = self._setup, self._setup.game
        return OpenSpielState(
            episode_id=self._episode_id,
            step_count=self._step_count,
            game_name=game.name,
            agent_player=setup.seat,
            opponent_policy=setup.policy,
            game_params=game.params,
            num_players=game.num_players,
            dynamics=game.dynamics,
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
        game, text = self._setup.game, self._match.text(self._shown_seat(self._match))
        if text is None:
            raise NotImplementedError(f"{game.name} has no text of what one seat sees")
        board = None if game.text == "information_state_string" else drawing.board_in(text)
        return {"text/plain": text} if board is None else {"text/plain": text, "image/svg+xml": drawing.svg(board)}

    def _play_one(self, match: Match, action: OpenSpielAction) -> None:
        if action.action_id is None:
            raise ValueError("one seat moves: give action_id, not action_ids")
        _check_legal(action.action_id, match.legal_actions(match.current_player))
        match.play(action.action_id)

    def _play_together(self, match: Match, action: OpenSpielAction) -> None:
        seats = self._setup.game.num_players
        if action.action_ids is None or len(action.action_ids) != seats:
            raise ValueError(f"all {seats} seats move at once: give action_ids, one legal action a seat in their order")
        for seat, move in enumerate(action.action_ids):
            _check_legal(move, match.legal_actions(seat) or [0], f" of seat {seat}")
        match.play_together(action.action_ids)

    def _play_struct(self, match: Match, action: OpenSpielAction) -> None:
        game = self._setup.game
        if game.num_actions:
            raise ValueError(f"the moves of {game.name} have numbers: give action_id, not action_struct")
        if action.action_struct is None:
            raise ValueError(
                f"the moves of {game.name} have no numbers: give action_struct, such as {game.spiel.action_struct_spec()[1]}"
            )
        match.play_struct(action.action_struct)

    def _check_meant(self, action: OpenSpielAction) -> None:
        game = self._setup.game
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
        return match.current_player if match.current_player >= 0 else self._setup.seat

    def _observation(self, match: Match, phase: str, rewards: list[float] | None) -> OpenSpielObservation:
        setup, over, everyone = self._setup, match.over, self._setup.policy == NONE
        sights = [match.sight(seat) for seat in range(setup.game.num_players)] if everyone else []
        return OpenSpielObservation(
            **(sights[self._shown_seat(match)] if everyone else match.sight(setup.seat)),
            game_phase="terminal" if over else phase,
            current_player_id=match.current_player,
            opponent_last_action=match.opponent_last_action,
            reward=None if rewards is None else rewards[setup.seat],
            rewards=rewards if everyone and rewards is not None else [],
            players=[OpenSpielView(player_id=seat, **sight) for seat, sight in enumerate(sights)],
            terminated=over,
        )


def _check_legal(move: int, legal: list[int], whose: str = "") -> None:
    if move not in legal:
        more = f" and {len(legal) - ACTIONS_NAMED} more" if len(legal) > ACTIONS_NAMED else ""
        raise ValueError(f"action {move!r:.50}{whose} is not legal now; legal are {legal[:ACTIONS_NAMED]}{more}")


def _number(variable: str, default: int) -> int:
    text = os.environ.get(variable) or str(default)
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{variable}={text!r:.100} is not a whole number") from None
