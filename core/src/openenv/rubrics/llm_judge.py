"""A rubric whose score a language model gives."""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING, Any

from ..contract.rubric import Rubric
from ..errors import ModelError, UsageError
from .rationed import RationedClient

if TYPE_CHECKING:
    from ..llm.client import LLMClient

FIRST_NUMBER = r"((?:(?<![\w)])-)?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?)"


class LLMJudge(Rubric):
    """Asks a model for a score and reads the number from its answer. Its call is to be awaited.

    Args:
        prompt_template: what to ask, with `{action}` and `{observation}` where they go; `{action.message}` reaches a field.
            Braces that are meant as such are doubled.
        client: the model, or a `RationedClient` that several judges share.
        score_pattern: a regular expression whose first group (without groups: its whole match) is the score. By default
            the first number in the answer.
        default_score: the score of an answer without one; None raises `ModelError` instead.
        normalize: clip scores to 0 … 1.
        cache_size, max_concurrency, max_calls, max_tokens, max_attempts, timeout_s: as in `RationedClient`.

    Raises:
        UsageError: the template names something else, or limits are given for a client that has its own.
    """

    def __init__(
        self,
        prompt_template: str,
        client: LLMClient | RationedClient,
        *,
        score_pattern: str | None = None,
        default_score: float | None = 0.0,
        normalize: bool = True,
        **limits: Any,
    ) -> None:
        super().__init__()
        if isinstance(client, RationedClient):
            if limits:
                raise UsageError(f"the RationedClient has its own limits: give {', '.join(sorted(limits))} to it")
            self._client = client
        else:
            self._client = RationedClient(client, **limits)
        self.prompt_template = _checked(prompt_template)
        self._score_pattern = re.compile(score_pattern or FIRST_NUMBER)
        self.default_score = default_score
        self.normalize = normalize

    async def forward(self, action: Any, observation: Any) -> float:
        """Return the score; raises what the client raises, so that a model that fails is never a score."""
        answer = await self._client.complete(self.prompt_template.format(action=action, observation=observation))
        score = self._read(answer)
        return min(max(score, 0.0), 1.0) if self.normalize else score

    def _read(self, answer: str) -> float:
        if found := self._score_pattern.search(answer):
            try:
                return float(found[1] if found.re.groups else found[0])
            except (TypeError, ValueError):
                pass
        if self.default_score is None:
            raise ModelError(f"no score in the model's answer: {answer[:200]!r}")
        return self.default_score

    def state_dict(self) -> dict[str, Any]:
        pattern = self._score_pattern.pattern
        own = {
            "prompt_template": self.prompt_template,
            "score_pattern": pattern,
            "default_score": self.default_score,
            "normalize": self.normalize,
        }
        return {**own, **super().state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.prompt_template = _checked(state.get("prompt_template", self.prompt_template))
        self._score_pattern = re.compile(state.get("score_pattern", self._score_pattern.pattern) or FIRST_NUMBER)
        self.default_score = state.get("default_score", self.default_score)
        self.normalize = state.get("normalize", self.normalize)


def _checked(template: str) -> str:
    try:
        fields = [field for _, field, _, _ in string.Formatter().parse(template) if field is not None]
    except ValueError as error:
        raise UsageError(f"the prompt template cannot be read: {error}; double the braces that are meant as such") from None
    if strange := [field for field in fields if re.split(r"[.\[]", field)[0] not in ("action", "observation")]:
        told = ", ".join(f"{{{field}}}" for field in strange)
        raise UsageError(f"the prompt template names {told}; there are {{action}} and {{observation}}, and {{{{ for a brace")
    return template
