"""What an agent and an OpenSpiel game tell each other."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticKnownError

from openenv import Action, Observation, State

SIMULTANEOUS = -2
"""`current_player_id` when every seat is the client's and all of them move at once."""


def _is_none(value: object) -> bool:
    return value is None


def _no_truth_value(value: Any) -> Any:
    if isinstance(value, bool):  # pydantic would read True as 1
        raise PydanticKnownError("int_type")
    return value


Move = Annotated[int, BeforeValidator(_no_truth_value)]
"""The number of an action."""


class OpenSpielAction(Action):
    """One move: `action_id`, or `action_ids` where every seat is the client's and all move at once.

    What is None does not travel, so that servers of older versions take the action too.

    `game_name` and `game_params` change nothing: where given, they must agree with the game in play, and the move is
    refused where they do not. The name "catch" counts as not given: older clients send it whatever they play. A game is
    chosen with `reset(game_name=…, game_params=…)`.
    """

    action_id: Move | None = Field(
        default=None, exclude_if=_is_none, description="The move: one of the observation's legal_actions"
    )
    action_ids: list[Move] | None = Field(
        default=None,
        exclude_if=_is_none,
        description="Under opponent_policy none, where all move at once: one move a seat; 0 for a seat without legal ones",
    )
    action_struct: dict[str, Any] | None = Field(
        default=None,
        exclude_if=_is_none,
        description="The move in games whose moves have no numbers (crossword): such as {'clue_id': 'A1', 'word': 'GO'}",
    )
    game_name: str | None = Field(
        default=None, exclude_if=_is_none, description="The game that the move is meant for; None: whichever is played"
    )
    game_params: dict[str, Any] = Field(default_factory=dict, description="Parameters that the game is meant to have")

    @model_validator(mode="after")
    def _is_one_move(self) -> OpenSpielAction:
        if sum(given is not None for given in (self.action_id, self.action_ids, self.action_struct)) != 1:
            raise ValueError("an action is one of action_id, action_ids and action_struct")
        return self


class OpenSpielView(BaseModel):
    """What one seat sees: nothing that the rules hide from it."""

    model_config = ConfigDict(extra="forbid")

    player_id: int = Field(description="The seat, counted from 0")
    info_state: list[float] = Field(default_factory=list, description="As in the observation, of this seat")
    observation_string: str = Field(default="", description="As in the observation, of this seat")
    legal_actions: list[int] = Field(default_factory=list, description="Moves of this seat now; empty unless it is to move")
    legal_actions_mask: list[int] = Field(default_factory=list, description="As in the observation, of this seat")


class OpenSpielObservation(Observation):
    """What the agent's seat sees: nothing that the rules hide from it.

    `reward` is what the agent's seat was paid since its last action, moves of chance and of the opponents included.
    Under `opponent_policy="none"` the client plays every seat: the fields above `rewards` are then those of the seat to
    move (of `agent_player`, where all move at once and at the end), and `reward` is that of `agent_player`.
    """

    info_state: list[float] = Field(
        default_factory=list,
        description="The information state tensor of the agent's seat, else its observation tensor; flat, row by row; "
        "empty where the game has neither",
    )
    legal_actions: list[int] = Field(default_factory=list, description="Moves that the agent may make now; empty at the end")
    game_phase: str = Field(default="playing", description="initial: the agent has not acted yet; playing; terminal")
    current_player_id: int = Field(
        default=0,
        description="The agent's seat; -4 when the game is over. Under opponent_policy none the seat to move, "
        "or -2 when all move at once",
    )
    opponent_last_action: int | None = Field(
        default=None,
        description="The opponents' most recent move of this episode; None before it, and where the rules hide their moves",
    )
    legal_actions_mask: list[int] = Field(
        default_factory=list,
        description="1 for each legal action and 0 for each other, by action number; as long as the game has actions",
    )
    observation_string: str = Field(default="", description="What the seat sees, in words or as a board in text")
    rewards: list[float] = Field(
        default_factory=list,
        description="Under opponent_policy none: what each seat was paid since the last action; else empty",
    )
    players: list[OpenSpielView] = Field(
        default_factory=list, description="Under opponent_policy none: what each seat sees, by seat; else empty"
    )

    def seen_by(self, seat: int) -> OpenSpielObservation:
        """Return what the player of one seat would be given. Needs `opponent_policy="none"`; else raises `IndexError`."""
        view = self.players[seat]
        return self.model_copy(
            update={
                "info_state": view.info_state,
                "observation_string": view.observation_string,
                "legal_actions": view.legal_actions,
                "legal_actions_mask": view.legal_actions_mask,
                "current_player_id": self.current_player_id if self.done else seat,
                "reward": self.rewards[seat] if self.rewards else None,
                "rewards": [],
                "players": [],
            }
        )


class OpenSpielState(State):
    """Which game an episode plays, and how."""

    game_name: str = Field(default="catch", description="OpenSpiel's short name of the game")
    agent_player: int = Field(default=0, description="The agent's seat, counted from 0")
    opponent_policy: str = Field(
        default="random",
        description="How the other seats play: random, first, last, mcts, minimax; none: the client plays them",
    )
    game_params: dict[str, Any] = Field(default_factory=dict, description="Parameters chosen over the game's defaults")
    num_players: int = Field(default=1, description="Seats of the game")
    dynamics: str = Field(default="sequential", description="sequential, simultaneous or mean_field")
