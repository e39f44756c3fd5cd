"""How a game is played."""

from __future__ import annotations

import os
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..policies import DEPTHS, MinimaxPolicy, Policy, RandomPolicy


class Options(BaseModel):
    """What `reset` lets a caller choose; the README says what each does.

    The environment variable of an option is CONNECT4_ and its name in capitals.
    """

    model_config = ConfigDict(frozen=True)

    opponent_policy: Literal["none", "random", "minimax"] = "none"
    opponent_depth: int = Field(default=4, ge=DEPTHS[0], le=DEPTHS[-1])
    agent_first: bool = True
    invalid_move: Literal["error", "lose"] = "error"

    @classmethod
    def from_environment(cls) -> Self:
        """Return the defaults, or what environment variables put in their place. Raises `ValueError` as `changed` does."""
        variables = {name: f"CONNECT4_{name.upper()}" for name in cls.model_fields}
        given = {name: os.environ[variable] for name, variable in variables.items() if os.environ.get(variable)}
        return cls._checked(given, variables, strict=False)

    def changed(self, **given: Any) -> Self:
        """Return these options with those given that are not None in their place.

        Raises:
            ValueError: one has a value that it cannot have, or one of another type, such as True for a number; the message is
                one line that says which it can have.
        """
        chosen = {name: value for name, value in given.items() if value is not None}
        return self._checked({**self.model_dump(), **chosen}, {}, strict=True)

    def opponent(self, seed: int | None) -> Policy | None:
        """Return who plays the other side; None where the client does."""
        if self.opponent_policy == "random":
            return RandomPolicy(seed)
        return MinimaxPolicy(seed, self.opponent_depth) if self.opponent_policy == "minimax" else None

    @classmethod
    def _checked(cls, values: dict[str, Any], called: dict[str, str], *, strict: bool) -> Self:
        try:
            return cls.model_validate(values, strict=strict)
        except ValidationError as error:
            wrong = [(str(place["loc"][0]), place["msg"], place["input"]) for place in error.errors()]
            told = [f"{called.get(name, name)}={value!r:.100}: {message.lower()}" for name, message, value in wrong]
            raise ValueError("; ".join(told)) from None
