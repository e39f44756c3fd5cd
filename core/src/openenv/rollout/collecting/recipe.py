"""How a data set is made: what is played where and by whom, and how much of it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...version import __version__
from .collector import CollectionSettings
from .episode import EpisodePlan
from .served import ServedEnvironment
from .teacher import Teacher, without_secrets


@dataclass(frozen=True)
class Recipe:
    """All that decides a data set.

    Attributes:
        env: what the server serves, `NAME` or `NAME:VARIANT`.
        base_url: of the server.
        teacher: who plays.
        settings: how many episodes, and which are kept.
        max_turns, timeout_s: as in `EpisodePlan`.
        reset_options: what every reset is given beside the seed.
    """

    env: str
    base_url: str
    teacher: Teacher
    settings: CollectionSettings
    max_turns: int
    timeout_s: float
    reset_options: dict[str, Any]

    @property
    def place(self) -> str:
        """The server's address, as it may be told."""
        return without_secrets(self.base_url)

    @property
    def plan(self) -> EpisodePlan:
        """How each episode is played."""
        who = self.teacher
        return EpisodePlan(self.env, who.label, who.model, who.system_prompt, self.max_turns, self.timeout_s)

    def environment(self) -> ServedEnvironment:
        """Ask the server for its environment; raises as `ServedEnvironment.at` does."""
        return ServedEnvironment.at(self.base_url, self.env, self.reset_options, timeout_s=self.timeout_s)

    def metadata(self) -> dict[str, Any]:
        """Return what the data set's metadata tells; no secrets."""
        return {
            "env": self.env,
            "env_base_url": self.place,
            **self.teacher.described(),
            "num_episodes_requested": self.settings.episodes,
            "keep_losses": self.settings.keep_losses,
            "max_turns": self.max_turns,
            "episode_id_prefix": self.settings.prefix,
            "reset_options": self.reset_options,
            "seed": self.settings.seed,
            "collected_with": f"openenv-core {__version__}",
        }

    def card(self) -> str:
        """Return the README of the data set where it is published: what its files hold, and which of them is data."""
        who = "a script" if self.teacher.model is None else f"the model {self.teacher.model}"
        return _CARD.format(env=self.env, who=who, version=__version__)


_CARD = """---
configs:
- config_name: default
  data_files: results.jsonl
tags: [openenv]
---

# Episodes of {env}

Played by {who}, and collected with openenv-core {version}. `metadata.json` says how; `results.jsonl` has an episode a line:

| field | what it holds |
|---|---|
| `episode_id`, `seed` | its name, and what decided every random choice |
| `prompt` | the messages before the first answer, the system prompt too |
| `messages` | the whole conversation, in the form of OpenAI's chat API |
| `tool_trace` | each call of a tool, with the observation and the reward that it gave |
| `reward` | what the episode came to |
| `done`, `terminated`, `truncated`, `ended_by` | how it ended, and who ended it |
| `metrics`, `verify_metrics`, `artifacts` | counts of turns and calls, and what scoring told |
| `env`, `provider`, `model` | what was played, and who played it |
"""
