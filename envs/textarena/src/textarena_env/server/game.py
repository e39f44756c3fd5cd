"""One game of TextArena's, from its first turn to its end, with the generators it draws from."""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from enum import Enum
from typing import Any

from ..models import TextArenaMessage
from . import catalogue
from .arguments import accepted, check_arguments
from .chance import Chance, drawing_from
from .repairs import NEVER_ENDS_ABOVE, NobodyLeft, mend, put_in_order
from .setup import MAX_PLAYERS

GAME = -1
"""The sender of what the game itself says."""

_SHARED = {"textarena.envs.Sokoban.env": threading.RLock()}
"""Modules that keep state of their own between a game's calls: one game at a time."""


class GameBroke(Exception):
    """TextArena's game raised on a message; what it left behind is not to be used."""


class Game:
    """A game in progress. A seed and the messages said fix all that it tells.

    Args:
        env_id: TextArena's id.
        num_players: None takes the fewest that the game is for.
        env_kwargs: arguments of the game's class over those registered.
        seed: any whole number.

    Attributes:
        num_players: players in the game.
        prompts: what each player was told at the start, by seat.
        over: whether the game has ended.
        deserted: whether it cannot go on because every player is out; then nobody is paid.
        refused: whether the game refused the last message, as its rules have it.

    Raises:
        ValueError: the game cannot be played so.
    """

    def __init__(self, env_id: str, num_players: int | None, env_kwargs: Mapping[str, Any], seed: int) -> None:
        self.env_id = env_id
        self._env_kwargs = env_kwargs
        self._seed = seed
        self._chance = Chance(seed)
        self._outer: Any = None
        self._lock: AbstractContextManager[Any] = nullcontext()
        self.num_players = self._begin(num_players)
        self.over = bool(self._state.done)
        self.deserted = False
        self.refused = False
        self.prompts: dict[int, str] = {}
        for seat, heard in self._state.observations.items():
            said = [_message(*each) for each in heard]
            self.prompts[seat] = next((each.content for each in said if each.category == "PROMPT"), "")

    @property
    def inner(self) -> Any:
        """TextArena's game itself, without its wrappers."""
        game = self._outer
        while "env" in vars(game) and hasattr(game.env, "step"):
            game = game.env
        return game

    @property
    def player(self) -> int:
        """Whose turn it is."""
        return int(self._state.current_player_id)

    @property
    def turn(self) -> int:
        """Turns that the game has counted."""
        return int(self._state.turn)

    @property
    def rewards(self) -> dict[int, float]:
        """What the game paid each player; empty before the end."""
        return {int(seat): float(paid) for seat, paid in (self._state.rewards or {}).items()}

    @property
    def records(self) -> dict[int, dict[str, Any]]:
        """What the game tells of each player at its end: role, reason, turn_count, invalid_move."""
        return dict(self._state.game_info)

    @property
    def reason(self) -> str | None:
        """Why the game ended, in its own words."""
        reasons = (record.get("reason") for record in self._state.game_info.values())
        return next((str(reason) for reason in reasons if reason), None)

    def say(self, message: str) -> dict[str, Any]:
        """Let the player whose turn it is say something, and return what TextArena tells of the step.

        Raises:
            GameBroke: the game raised. It is not to be used any further.
        """
        speaker, errors = self.player, self._errors()
        with drawing_from(self._chance), self._lock:
            try:
                done, info = self._outer.step(action=message)
            except NobodyLeft:
                self.deserted, done, info = True, True, {}
            except Exception as error:
                raise GameBroke(f"{type(error).__name__}: {catalogue.one_line(error)}") from error
        self.over = bool(done)
        self.refused = self._errors() > errors if self.player == speaker else False
        self.refused = self.refused or bool(self.records.get(speaker, {}).get("invalid_move"))
        return dict(info or {})

    def would_refuse(self, message: str) -> bool:
        """Whether the game would refuse a message, or break on it; tried on a copy, so that nothing changes."""
        shared = {id(value): value for value in vars(self.inner).values() if hasattr(value, "__len__") and len(value) > 1000}
        trial = copy.copy(self)
        trial._outer, trial._chance = copy.deepcopy((self._outer, self._chance), shared)
        try:
            trial.say(message)
        except GameBroke:
            return True
        return trial.refused or trial.deserted

    def hear(self) -> list[TextArenaMessage]:
        """Return what the player whose turn it is has not heard yet."""
        with drawing_from(self._chance):
            _, heard = self.inner.get_observation()
        return [_message(*each) for each in heard]

    def overhear(self, seat: int) -> list[TextArenaMessage]:
        """Return what a player has not heard yet, whoever's turn it is."""
        heard, self._state.observations[seat] = self._state.observations[seat], []
        return [_message(*each) for each in heard]

    @property
    def _state(self) -> Any:
        return self.inner.state

    def _errors(self) -> int:
        return int(getattr(self._state, "error_count", 0))

    def _begin(self, num_players: int | None) -> int:
        check_arguments(self.env_id, self._env_kwargs)
        counts = range(1, MAX_PLAYERS + 1) if num_players is None else (num_players,)
        refusals = {}
        for count in counts:
            refusal = self._refusal(count)
            if refusal is None:
                mend(self._state)
                return count
            refusals[count] = refusal
        if self._env_kwargs:
            count = Game(self.env_id, num_players, {}, self._seed).num_players
            given = f"{dict(self._env_kwargs)!r:.200}"
            raise ValueError(f"{self.env_id} cannot be played with {given}: {refusals[count]}; {accepted(self.env_id)}")
        asked = "any number of" if num_players is None else num_players
        raise ValueError(f"{self.env_id} cannot be played by {asked} players: {refusals[counts[-1]]}")

    def _refusal(self, count: int) -> str | None:
        """Set the game up for so many players, and return why it cannot be played so; None: it can.

        Raises:
            GameUnavailable: it cannot be played by any number.
        """
        self._chance = Chance(self._seed)
        with drawing_from(self._chance):
            try:
                self._outer = catalogue.create(self.env_id, self._env_kwargs)
                put_in_order(self.inner)
                self._lock = _SHARED.get(type(self.inner).__module__, nullcontext())
                with self._lock:
                    self._outer.reset(num_players=count, seed=_for_textarena(self._seed))
            except catalogue.GameUnavailable:
                raise
            except OSError as error:
                if not self._env_kwargs:
                    raise catalogue.lacks_file(self.env_id, error) from None
                return catalogue.one_line(error)
            except (ValueError, AssertionError) as error:
                return catalogue.one_line(error)
            except Exception as error:
                return f"{type(error).__name__}: {catalogue.one_line(error)}"
        most = NEVER_ENDS_ABOVE.get(type(self.inner).__name__, MAX_PLAYERS)
        if count > most:
            return f"with more than {most} TextArena's game cannot end"
        alone = type(self._state).__name__ == "SinglePlayerState"
        if self._state.num_players == count and alone == (count == 1):
            return None
        return "it is for one player" if alone else f"it is for {max(2, self._state.num_players)} players"


def _for_textarena(seed: int) -> int:
    """TextArena seeds `random`, to which a number and its negative are one, and NumPy, which takes no negatives."""
    return seed if seed >= 0 else 2**64 - seed


def _message(*parts: Any) -> TextArenaMessage:
    """Read TextArena's triple of sender, text and kind; some games give them in another order, or a kind too few."""
    kinds = [part.name for part in parts if isinstance(part, Enum)]
    texts = [part for part in parts if isinstance(part, str)]
    senders = [part for part in parts if isinstance(part, int)]
    return TextArenaMessage(
        sender_id=senders[0] if senders else GAME,
        content=max(texts, key=len, default=""),
        category=kinds[0] if kinds else "GAME_MESSAGE",
    )
