"""What a player says to the board, and what it sees."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticKnownError

from openenv import Action, Observation, State


def _no_truth_value(value: Any) -> Any:
    if isinstance(value, bool):  # pydantic would read True as 1
        raise PydanticKnownError("int_type")
    return value


class Connect4Action(Action):
    """Drop a stone."""

    column: Annotated[int, BeforeValidator(_no_truth_value)] = Field(
        description="Where to drop it, 0 to 6 from the left; one of the observation's legal_actions",
        json_schema_extra={"minimum": 0, "maximum": 6},
    )


class Connect4Observation(Observation):
    """The board as one player sees it: the agent's own side against an opponent, else the side whose turn it is."""

    board: list[list[int]] = Field(
        default_factory=list, description="6 rows of 7, the top one first: 1 own stone, -1 the other side's, 0 empty"
    )
    legal_actions: list[int] = Field(default_factory=list, description="Columns with room, rising; empty once the game is over")
    current_player: int = Field(default=1, description="Who sees this: 1 the side that began, -1 the other")
    last_column: int | None = Field(default=None, description="Column of the last stone of either side; None before the first")
    winner: int | None = Field(default=None, description="1 the side that began, -1 the other, 0 a draw; None while they play")
    board_text: str = Field(default="", description="The board in text: X began, O followed")


class Connect4State(State):
    """Where a game stands, and how it is played. `step_count` counts the steps taken through the environment."""

    board: list[list[int]] = Field(
        default_factory=list, description="6 rows of 7, the top one first: 1 the side that began, -1 the other, 0 empty"
    )
    next_player: int = Field(default=1, description="Whose turn it is, or would be: 1 the side that began, -1 the other")
    winner: int | None = Field(default=None, description="As in the observation")
    opponent_policy: str = Field(default="none", description="Who plays the other side: none (the client), random, minimax")
    opponent_depth: int = Field(default=4, description="Plies that minimax looks ahead")
    agent_first: bool = Field(default=True, description="Whether the agent begins; without an opponent it plays both sides")
    invalid_move: str = Field(default="error", description="What an invalid move brings: an error, or to lose the game")
