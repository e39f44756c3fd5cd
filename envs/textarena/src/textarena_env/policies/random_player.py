"""A player of any game, which says random things in the form that the game asks for."""

from __future__ import annotations

import re

from ..models import TextArenaObservation
from .boards import BOARDS
from .formats import FORMS, fill, game_name
from .policy import Policy

_TOKEN = re.compile(r"\[[^\[\]\n]{1,60}\]")
_LISTED = re.compile(r"(?i)\b(?:available|valid|viable|legal|remaining|options?)\b[^:\n]{0,200}:(.*(?:\n[^\n]*\[.*)*)")
_UNSURE = re.compile(r"\b[XN]\b")
_FIELDS = re.compile(r"exactly (\d+) units across fields: ([A-Z, ]+)")


class RandomPolicy(Policy):
    """Says a random move of those that the game lists, else one in the form that the game asks for.

    It reads the game's name from the observation's `info`; games that it does not know it answers with the examples of
    their prompts. Much of what it says may be refused: it knows forms, not rules.
    """

    name = "Random"

    def select_action(self, observation: TextArenaObservation) -> str:
        game = game_name(str(observation.info.get("env_id", "")))
        heard = [message.content for message in observation.messages if message.sender_id < 0]
        if (read := BOARDS.get(game)) and (move := read(observation.prompt, "\n".join(heard), self.rng)):
            return move
        listed = [token for text in [*heard, observation.prompt] for token in self._listed(text)]
        if fields := _FIELDS.search(observation.prompt):
            return self._shared_out(int(fields[1]), fields[2].replace(" ", "").split(","))
        if listed and self.rng.random() < 0.9:
            return self.rng.choice(listed)
        forms = FORMS.get(game) or _TOKEN.findall(observation.prompt) or ["I see it like you."]
        return fill(self.rng.choice(forms), self.rng, "\n".join([observation.prompt, *heard]))

    def _listed(self, text: str) -> list[str]:
        tokens = [token for block in _LISTED.findall(text) for token in _TOKEN.findall(block)]
        return [_UNSURE.sub(lambda _: str(self.rng.randint(1, 5)), token) if " X" in token else token for token in tokens]

    def _shared_out(self, units: int, fields: list[str]) -> str:
        cuts = sorted(self.rng.randint(0, units) for _ in fields[1:])
        parts = [high - low for low, high in zip([0, *cuts], [*cuts, units], strict=True)]
        return "[" + " ".join(f"{field}{part}" for field, part in zip(fields, parts, strict=True)) + "]"
