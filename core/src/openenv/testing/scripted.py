"""A player that needs no model."""

from __future__ import annotations

from random import Random
from typing import Any

from ..contract.tools import Tool
from ..errors import MissingExtra
from ..rollout.collecting.served import ACT
from .one_field import one_field
from .subject import legal_actions

DRAWN = 40


class FirstLegal:
    """Takes the first of the actions that an observation lists as `legal_actions`; else what fits a tool's schema, by chance.

    Where nothing is listed Hypothesis, the extra `testing`, draws; an environment's own actions are then preferred to tools.
    """

    def __init__(self) -> None:
        self._drawn: dict[str, list[dict[str, Any]]] = {}

    def __call__(self, observation: dict[str, Any], tools: list[Tool], chance: Random) -> tuple[str, dict[str, Any]] | None:
        """Return the tool to call and its arguments; None where there is nothing to call."""
        own = next((tool for tool in tools if tool.name == ACT), None)
        listed = legal_actions(observation)
        if listed and own is not None:
            first = listed[0]
            field = one_field(own.input_schema)
            if isinstance(first, dict):
                return ACT, first
            if field is not None:
                return ACT, {field: first}
        if own is None and not tools:
            return None
        tool = own or chance.choice(tools)
        drawn = self._arguments(tool)
        return (tool.name, chance.choice(drawn)) if drawn else None

    def _arguments(self, tool: Tool) -> list[dict[str, Any]]:
        if tool.name not in self._drawn:
            try:
                from .schema_values import examples, legal
            except ImportError:
                raise MissingExtra("actions are drawn with Hypothesis: pip install 'openenv-core[testing]'") from None
            self._drawn[tool.name] = examples(legal(tool.input_schema), DRAWN)
        return self._drawn[tool.name]
