"""What an agent and a TextArena game tell each other."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from openenv import Action, Observation, State

MAX_MESSAGE_CHARS = 20_000
"""Longest message that a player may say. Games of conversation cut it further, as they say in their prompts."""


class TextArenaAction(Action):
    """What the player whose turn it is says: words, or a move in the form that the game's prompt asks for."""

    message: str = Field(description="The player's message, such as [crane] in Wordle")


class TextArenaMessage(BaseModel):
    """One thing said in a game, as one player may hear it."""

    sender_id: int = Field(description="The player who said it, counted from 0; -1: the game")
    content: str = Field(description="The words")
    category: str = Field(
        default="GAME_MESSAGE",
        description="TextArena's kind of message: PROMPT, PLAYER_ACTION, GAME_ACTION_DESCRIPTION, GAME_MESSAGE, "
        "GAME_BOARD or GAME_ADMIN",
    )


class TextArenaObservation(Observation):
    """What the player whose turn it is reads: nothing that the game tells only to others.

    `reward` is 0 until the game ends, and then what TextArena pays.
    """

    prompt: str = Field(default="", description="The rules and the player's task, as the game explains them; in every turn")
    messages: list[TextArenaMessage] = Field(
        default_factory=list, description="What this player has heard since its last turn, oldest first"
    )
    current_player_id: int = Field(default=0, description="The player who is to act, counted from 0; at the end the last one")
    legal_players: list[int] = Field(default_factory=list, description="Who may act now: one player, none at the end")
    info: dict[str, Any] = Field(
        default_factory=dict,
        description="env_id, turn, invalid_move; in Wordle feedback and reward_signals; at the end reason and rewards of all",
    )


class TextArenaState(State):
    """Which game an episode plays, and how it stands."""

    env_id: str = Field(default="Wordle-v0", description="TextArena's id of the game")
    num_players: int = Field(default=1, description="Players in the game")
    agent_player: int | None = Field(default=0, description="The agent's seat; None: the client plays every seat")
    opponent_policy: str = Field(default="random", description="How the other seats play: random; none: the client does")
    max_turns: int | None = Field(default=None, description="Steps after which an episode is cut; None: the game's own limits")
    turn: int = Field(default=0, description="Turns of all players that the game has counted")
    last_reward: float = Field(default=0.0, description="Reward of the last step")
    last_info: dict[str, Any] = Field(default_factory=dict, description="info of the last observation")
    word_data: str = Field(
        default="packaged", description="Where word games find words and nouns: nltk, packaged, or a mixture"
    )
