"""What environments that hold conversations ask of a tokenizer."""

from __future__ import annotations

from typing import Any, Protocol


class Message(dict[str, Any]):
    """One turn of a conversation: `role` and `content`."""


class ModelTokenizer(Protocol):
    """Turns conversations into tokens and back, as the tokenizers of the transformers library do."""

    def apply_chat_template(
        self, conversation: list[Message], tokenize: bool = True, return_tensors: str | None = None, **kwargs: Any
    ) -> Any:
        """Return a conversation as tokens, or as text where `tokenize` is False."""

    def decode(self, token_ids: Any, skip_special_tokens: bool = False, **kwargs: Any) -> str:
        """Return tokens as text."""
