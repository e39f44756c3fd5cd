"""How many sessions a server has and may have, and what it tells of one."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Facts(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_assignment=True)


class ConcurrencyConfig(_Facts):
    """How many environments may be in use at once, and after how many seconds an unused one is let go (None: 3600)."""

    max_concurrent_envs: int = Field(default=1, ge=1)
    session_timeout: float | None = Field(default=None, gt=0)


class ServerCapacityStatus(_Facts):
    """How full a server is."""

    active_sessions: int = Field(ge=0)
    max_sessions: int = Field(ge=1)

    @model_validator(mode="after")
    def check_capacity_bounds(self) -> Self:
        """Refuse more active sessions than there may be."""
        if self.active_sessions > self.max_sessions:
            raise ValueError(f"active_sessions ({self.active_sessions}) cannot exceed max_sessions ({self.max_sessions})")
        return self

    @property
    def available_slots(self) -> int:
        """How many more sessions there may be."""
        return self.max_sessions - self.active_sessions

    @property
    def is_at_capacity(self) -> bool:
        """Whether there may be none more."""
        return self.available_slots == 0

    @classmethod
    def from_counts(cls, active: int, max_sessions: int) -> Self:
        """Return the status that two numbers make."""
        return cls(active_sessions=active, max_sessions=max_sessions)


class SessionInfo(_Facts):
    """What a server tells of a session; times are seconds since 1970, and steps those of all its episodes."""

    session_id: str
    created_at: float
    last_activity_at: float
    step_count: int = Field(default=0, ge=0)
    environment_type: str
