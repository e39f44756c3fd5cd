"""Games as OpenSpiel has them, checked before they are played."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

import pyspiel

from . import dice, parameters, trial
from .words import one_line

PUBLIC_MOVES = frozenset({"kuhn_poker", "leduc_poker", "liars_dice"})
"""Games that hide something, but never what an opponent did."""

STRUCTURED = "crossword"
"""The one game whose moves have no numbers; it announces a tensor of what a player sees, and has none."""


@dataclass(frozen=True)
class Game:
    """A game that can be played here, with what its type says.

    Attributes:
        name: OpenSpiel's short name.
        params: the parameters chosen over the defaults.
        spiel: OpenSpiel's own object.
        num_players: seats.
        num_actions: distinct actions; 0 where moves have no numbers.
        all_params: every parameter with its value, defaults included.
        dynamics: "sequential", "simultaneous" or "mean_field".
        tensor: "information_state_tensor" or "observation_tensor", whichever is sent; None where it gives neither.
        text: the method that tells in words what a seat sees; None where only the state's own text does, or nothing.
        hides_something: some seat does not see everything.
        pays_on_the_way: rewards may come before the end.
        moves_are_public: an opponent's move may be told to the agent.
        throws_dice: chance is thrown inside the game.
        holds_dice: what is thrown inside goes on from one start of the loaded game to the next.
    """

    name: str
    params: dict[str, Any]
    spiel: Any
    num_players: int
    num_actions: int
    all_params: dict[str, Any]
    dynamics: str
    tensor: str | None
    text: str | None
    hides_something: bool
    pays_on_the_way: bool
    moves_are_public: bool
    throws_dice: bool
    holds_dice: bool

    def new_initial_state(self, rng: Random) -> Any:
        """Return OpenSpiel's state at the start; a game that holds dice is loaded anew for it, its dice seeded from `rng`."""
        if not self.holds_dice:
            return self.spiel.new_initial_state()
        return _loaded(self.name, dice.seeded(self.name, self.params, rng)).new_initial_state()


def load(name: Any, params: Any = None) -> Game:
    """Return the game of that name with those parameters over its defaults. Both come from users, and may be anything.

    The name may hold parameters as OpenSpiel writes them: `go(board_size=9)`.

    Raises:
        ValueError: there is no such game, a parameter does not fit it, or it cannot be played with them.
    """
    name, params = parameters.parsed(name, params)
    given = parameters.checked(name, params)
    if given and (reason := trial.refusal(parameters.TEXT_GAMES.get(name, "load_game"), name, given)):
        raise _unplayable(name, given, one_line(reason))
    try:
        spiel = _loaded(name, given)
    except (pyspiel.SpielError, LookupError) as error:
        missing = "" if given else f"; it takes: {', '.join(sorted(parameters.REGISTERED[name].parameter_specification))}"
        raise _unplayable(name, given, one_line(error) + missing) from None
    return _described(name, given, spiel)


def _loaded(name: str, given: dict[str, Any]) -> Any:
    if name not in parameters.TEXT_GAMES:
        return pyspiel.load_game(name, given)
    if "data" not in given:
        raise ValueError(f"{name} takes its description as the parameter 'data'")
    return getattr(pyspiel, parameters.TEXT_GAMES[name])(given["data"])


def _described(name: str, given: dict[str, Any], spiel: Any) -> Game:
    kind = spiel.get_type()
    tensor = None if name == STRUCTURED else trial.tensor_of(kind)
    hides_something = kind.information == pyspiel.GameType.Information.IMPERFECT_INFORMATION
    return Game(
        name=name,
        params=given,
        spiel=spiel,
        num_players=spiel.num_players(),
        num_actions=spiel.num_distinct_actions(),
        all_params={**spiel.get_parameters(), **given},
        dynamics=kind.dynamics.name.lower(),
        tensor=tensor,
        text=_text(kind),
        hides_something=hides_something,
        pays_on_the_way=kind.reward_model == pyspiel.GameType.RewardModel.REWARDS,
        moves_are_public=not hides_something or name in PUBLIC_MOVES,
        throws_dice=kind.chance_mode == pyspiel.GameType.ChanceMode.SAMPLED_STOCHASTIC,
        holds_dice=dice.held_by(name, given),
    )


def _text(kind: Any) -> str | None:
    if kind.provides_observation_string:
        return "observation_string"
    return "information_state_string" if kind.provides_information_state_string else None


def _unplayable(name: str, given: dict[str, Any], reason: str) -> ValueError:
    return ValueError(f"{name} cannot be played with the parameters {given!s:.120}: {reason}")
