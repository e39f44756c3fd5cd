"""What an operator may set of a server's sessions."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields, replace
from typing import Any

from ..errors import UsageError
from ..wire.messages import DEFAULT_MAX_MESSAGE_BYTES

PREFIX = "OPENENV_"


@dataclass(frozen=True)
class Settings:
    """Limits and times of a server. Each can be set by an environment variable of its name, `OPENENV_QUEUE_TIMEOUT_S`.

    Attributes:
        max_concurrent_envs: sessions at once; None gives 256 to environments that declare
            `SUPPORTS_CONCURRENT_SESSIONS`, and 1 to others.
        queue_timeout_s: how long a newcomer waits for a slot before `CAPACITY_REACHED`. Default 60.
        idle_timeout_s: a session that nobody calls for so long is ended. Default 3600.
        http_default_session: whether HTTP calls that name no session share one. Default True.
        http_default_idle_s: as `idle_timeout_s`, for that shared session. Default 60.
        max_message_bytes: largest message taken. Default 100 MiB.
        close_timeout_s: how long a stopping server waits for `Environment.close()`. Default 10.
    """

    max_concurrent_envs: int | None = None
    queue_timeout_s: float = 60.0
    idle_timeout_s: float = 3600.0
    http_default_session: bool = True
    http_default_idle_s: float = 60.0
    max_message_bytes: int = DEFAULT_MAX_MESSAGE_BYTES
    close_timeout_s: float = 10.0

    def __post_init__(self) -> None:
        if self.max_concurrent_envs is not None and self.max_concurrent_envs < 1:
            raise UsageError(f"max_concurrent_envs must be at least 1, not {self.max_concurrent_envs}")
        for name in ("queue_timeout_s", "idle_timeout_s", "http_default_idle_s", "close_timeout_s"):
            if getattr(self, name) < 0:
                raise UsageError(f"{name} must not be negative, but is {getattr(self, name)}")

    @classmethod
    def from_environment(cls, **given: Any) -> Settings:
        """Return the settings that the environment variables make, under those `given` (None: not given).

        Raises:
            UsageError: a variable holds what its setting cannot be, or a given name is unknown.
        """
        unknown = given.keys() - {field.name for field in fields(cls)}
        if unknown:
            raise UsageError(f"no such setting: {', '.join(sorted(unknown))}")
        chosen = {field.name: _read(field.name, str(field.type)) for field in fields(cls)}
        chosen.update((name, value) for name, value in given.items() if value is not None)
        return replace(cls(), **{name: value for name, value in chosen.items() if value is not None})


def _read(name: str, kind: str) -> int | float | bool | None:
    variable = PREFIX + name.upper()
    text = os.environ.get(variable, "").strip()
    if not text:
        return None
    try:
        if kind == "bool":
            return {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}[
                text.lower()
            ]
        return int(text) if kind.startswith("int") else float(text)
    except (KeyError, ValueError):
        expected = "true or false" if kind == "bool" else "a whole number" if kind.startswith("int") else "a number"
        raise UsageError(f"{variable}={text!r} is not {expected}") from None
