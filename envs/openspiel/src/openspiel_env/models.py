"""What an agent and an OpenSpiel game tell each other."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from openenv import Action, Observation, State


class OpenSpielAction(Action):
    """One move of the agent, by its number in the game.

    `game_name` and `game_params` change nothing: where given, they must agree with the game in play, and the move is
    refused where they do not. A game is chosen with `reset(game_name=…, game_params=…)`.
    """

    action_id: int = Field(description="The move: one of the observation's legal_actions")
    game_name: str | None = Field(default=None, description="The game that the move is meant for; None: whichever is played")
    game_params: dict[str, Any] = Field(default_factory=dict, description="Parameters that the game is meant to have")


class OpenSpielObservation(Observation):
    """What the agent's seat sees: nothing that the rules hide from it.

    `reward` is what the agent's seat was paid since its last action, moves of chance and of the opponents included.
    """

    info_state: list[float] = Field(
        default_factory=list,
        description="The information state tensor of the agent's seat, else its observation tensor; flat, row by row",
    )
    legal_actions: list[int] = Field(default_factory=list, description="Moves that the agent may make now; empty at the end")
    game_phase: str = Field(default="playing", description="initial: the agent has not acted yet; playing; terminal")
    current_player_id: int = Field(default=0, description="The agent's seat; -4 when the game is over")
    opponent_last_action: int | None = Field(
        default=None,
        description="The opponents' most recent move of this episode; None before it, and where the rules hide their moves",
    )


class OpenSpielState(State):
    """Which game an episode plays, and how."""

    game_name: str = Field(default="catch", description="OpenSpiel's short name of the game")
    agent_player: int = Field(default=0, description="The agent's seat, counted from 0")
    opponent_policy: str = Field(default="random", description="How the other seats play: random, first or last legal move")
    game_params: dict[str, Any] = Field(default_factory=dict, description="Parameters chosen over the game's defaults")
    num_players: int = Field(default=1, description="Seats of the game")
