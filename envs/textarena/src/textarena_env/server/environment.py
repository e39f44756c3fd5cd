"""TextArena's games behind `reset`, `step` and `state`."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import replace
from random import SystemRandom
from typing import Any

from pydantic_core import to_jsonable_python

from openenv import Environment, NoEpisodeError

from ..models import MAX_MESSAGE_CHARS, TextArenaAction, TextArenaObservation, TextArenaState
from . import picture, word_data, wordle
from .match import Match
from .setup import Setup, from_environment_variables

_BRACKETED = re.compile(r"\[(\w+)\]")


class TextArenaEnvironment(Environment[TextArenaAction, TextArenaObservation, TextArenaState]):
    """Word games, puzzles, board games, cards and conversation of TextArena, all of them played in words.

    Each argument left None takes its environment variable, TEXTARENA_ and its name in capitals, and without it the default.

    Args:
        env_id: TextArena's id of the game of the first episode. Default "Wordle-v0".
        num_players: players in the game; by default the fewest that it is for.
        agent_player: the agent's seat, from 0. Default 0.
        opponent_policy: "random" lets the server play the other seats; "none" gives every seat to the client.
        max_turns: steps after which an episode is cut; by default only the game's own limits hold.
        env_kwargs: arguments of the game's class over those that TextArena registers, such as {"num_guesses": 8}.
            Their variables are TEXTARENA_KW_ and the argument's name.

    Raises:
        ValueError: these do not make an episode; the message says why.
    """

    SUPPORTS_CONCURRENT_SESSIONS = True
    REWARD_RANGE = (None, None)
    REWARD_KIND = "delta"

    def __init__(
        self,
        env_id: str | None = None,
        num_players: int | None = None,
        agent_player: int | None = None,
        opponent_policy: str | None = None,
        max_turns: int | None = None,
        env_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        given = {
            "env_id": env_id,
            "num_players": num_players,
            "agent_player": agent_player,
            "opponent_policy": opponent_policy,
            "max_turns": max_turns,
            "env_kwargs": env_kwargs,
        }
        chosen = {name: value for name, value in given.items() if value is not None}
        self._defaults = self._setup = Setup(**{**from_environment_variables(), **chosen})
        self._match: Match | None = None
        self._episode_id: str | None = None
        self._step_count = 0
        self._last_reward = 0.0
        self._last_info: dict[str, Any] = {}
        self._tried: list[str] = []
        self._ended = False

    def reset(
        self,
        seed: int | None = None,
        episode_id: str | None = None,
        *,
        env_id: str | None = None,
        num_players: int | None = None,
        agent_player: int | None = None,
        opponent_policy: str | None = None,
        max_turns: int | None = None,
        env_kwargs: dict[str, Any] | None = None,
    ) -> TextArenaObservation:
        """Set a game up and return what the player whose turn it is reads. The reward is None.

        What is chosen here holds for this episode; what is not is as the class was told. An `env_id` other than the class's
        comes with its own number of players, seat 0 and its own arguments unless they are given too.

        Args:
            seed: fixes the game and the opponents: the same seed and messages give the same observations. None: a fresh one.
            episode_id: a name for the episode; None makes one up.
            env_id, num_players, agent_player, opponent_policy, max_turns, env_kwargs: as for the class.

        Raises:
            ValueError: these do not make a game that can be played. The game so far goes on.
        """
        if seed is not None and type(seed) is not int:
            raise ValueError(f"seed must be a whole number or None, not {seed!r:.60}")
        setup = self._defaults
        if env_id is not None and env_id != setup.env_id:
            setup = replace(setup, env_id=env_id, num_players=None, env_kwargs={}, agent_player=0)
        given: dict[str, Any] = {
            "num_players": num_players,
            "agent_player": agent_player,
            "opponent_policy": opponent_policy,
            "max_turns": max_turns,
            "env_kwargs": env_kwargs,
        }
        setup = replace(setup, **{name: value for name, value in given.items() if value is not None})
        match = Match(setup, SystemRandom().getrandbits(48) if seed is None else seed)
        self._setup, self._match = setup, match
        self._episode_id = str(uuid.uuid4()) if episode_id is None else episode_id
        self._step_count = 0
        self._last_reward = 0.0
        self._tried = []
        observation = self._observe(match, {}, None)
        if match.over:
            observation.reward = match.reward(match.player)
        return self._apply_transform(observation)

    def step(self, action: TextArenaAction, timeout_s: float | None = None) -> TextArenaObservation:
        """Say the message of the player whose turn it is, let the server's players answer, and return what is read then.

        A message that the game's rules refuse is part of the game: `info["invalid_move"]` is true, the game says why, and
        what it costs is its own affair. The reward is 0 until the game ends, and then what it pays the agent's seat, or,
        where the client plays every seat, the seat that spoke last.

        Raises:
            ValueError: the message is empty or too long, or the game broke on it. The game stands where it stood.
            RuntimeError: there is no game to play in: before the first reset, or after the end.
        """
        match = self._match
        if match is None:
            raise NoEpisodeError("no game has begun: call reset() before step()")
        if self._ended:
            raise NoEpisodeError("the game is over: call reset() for another one")
        if not action.message.strip():
            raise ValueError("the message is empty: say something, such as [crane] in Wordle")
        if len(action.message) > MAX_MESSAGE_CHARS:
            raise ValueError(f"the message has {len(action.message)} characters, and {MAX_MESSAGE_CHARS} are allowed")
        speaker = match.player
        known = wordle.guesses(match.game.inner) if wordle.is_wordle(match.game.inner) else None
        step_info = match.say(action.message)
        self._step_count += 1
        reward = match.reward(speaker)
        if known is not None:
            self._tried += [word.lower() for word in (_BRACKETED.findall(action.message) or action.message.split())[:1]]
            now = wordle.guesses(match.game.inner)
            guess = now[-1] if len(now) > len(known) else None
            step_info |= {"feedback": wordle.feedback(guess), "reward_signals": wordle.signals(guess, self._tried)}
        return self._apply_transform(self._observe(match, step_info, reward))

    @property
    def state(self) -> TextArenaState:
        """Which game is played and how it stands; `step_count` counts the client's messages."""
        match, setup = self._match, self._setup
        seat = setup.agent_player if match is None else match.seat
        if match is None and setup.opponent_policy == "none":
            seat = None
        return TextArenaState(
            episode_id=self._episode_id,
            step_count=self._step_count,
            env_id=setup.env_id,
            num_players=match.game.num_players if match else setup.num_players or 1,
            agent_player=seat,
            opponent_policy=setup.opponent_policy,
            max_turns=setup.max_turns,
            turn=match.game.turn if match else 0,
            last_reward=self._last_reward,
            last_info=self._last_info,
            word_data=word_data.source(),
        )

    def render(self) -> dict[str, str]:
        """Return the game as the agent's seat sees it (the seat whose turn it is, where the client plays all).

        Returns:
            `text/plain`: the board last shown, or the last words heard; `image/svg+xml`: the same, or Wordle's tiles.

        Raises:
            RuntimeError: before the first reset.
        """
        match = self._match
        if match is None:
            raise NoEpisodeError("no game has begun: call reset() before render()")
        game = match.game.inner
        if wordle.is_wordle(game):
            shape = (wordle.guesses(game), game.num_guesses, game.word_length)
            return {"text/plain": picture.text_of_wordle(*shape), "image/svg+xml": picture.tiles(*shape)}
        text = picture.text_of(match.told[match.player])
        return {"text/plain": text, "image/svg+xml": picture.lettering(text)}

    def _observe(self, match: Match, step_info: dict[str, Any], reward: float | None) -> TextArenaObservation:
        limit = self._setup.max_turns
        cut = not match.finished and (match.cut or (limit is not None and self._step_count >= limit))
        self._ended = match.over or cut
        info = {
            "env_id": self._setup.env_id,
            "turn": match.game.turn,
            "invalid_move": match.refused,
            **to_jsonable_python(step_info, fallback=str),
            **self._outcome(match),
        }
        self._last_reward, self._last_info = reward or 0.0, info
        signals = info.get("reward_signals")
        return TextArenaObservation(
            prompt=match.game.prompts[match.player],
            messages=match.collect(),
            current_player_id=match.player,
            legal_players=[] if self._ended else [match.player],
            info=info,
            reward=reward,
            done=self._ended,
            terminated=match.finished,
            truncated=cut,
            metadata={"reward_signals": signals} if signals else {},
        )

    def _outcome(self, match: Match) -> dict[str, Any]:
        if not match.finished:
            return {}
        return {
            "reason": match.game.reason,
            "rewards": {str(seat): paid for seat, paid in sorted(match.game.rewards.items())},
            "game_info": {str(seat): to_jsonable_python(record, fallback=str) for seat, record in match.game.records.items()},
        }
