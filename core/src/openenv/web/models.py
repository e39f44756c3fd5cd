"""What the playground knows of its episode."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class ActionLog(BaseModel):
    """One step that was done. `timestamp` is local time in ISO 8601; `step_count` is the state's after the step."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    timestamp: str
    action: dict[str, Any]
    observation: dict[str, Any]
    reward: float | None = None
    done: bool
    step_count: int


class EpisodeState(BaseModel):
    """The episode as those who watch it are told. `is_reset`: no step has been done since it began, or none has begun."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    episode_id: str | None = None
    step_count: int
    current_observation: dict[str, Any] | None = None
    action_logs: list[ActionLog] = Field(default_factory=list)
    is_reset: bool = True
