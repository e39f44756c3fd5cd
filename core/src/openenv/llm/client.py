"""The interface to a language model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from .address import base_url
from .response import LLMResponse


@dataclass
class Usage:
    """What a client has used so far.

    Attributes:
        calls: that were answered.
        input_tokens, output_tokens: as the endpoint counted them; an endpoint that does not say counts none.
    """

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        """Tokens in and out."""
        return self.input_tokens + self.output_tokens


class LLMClient(ABC):
    """A language model at an endpoint. Its methods are awaited, in any number of event loops.

    Args:
        endpoint: URL of the server, `http://localhost` or `https://host/path`.
        port: of the server; None where the URL names it, or for the scheme's own.

    Attributes:
        usage: what was used so far.
    """

    def __init__(self, endpoint: str, port: int | None) -> None:
        self.endpoint = endpoint
        self.port = port
        self.usage = Usage()

    @property
    def base_url(self) -> str:
        """The endpoint with its port. Raises `ValueError` where there is no URL to be made of them."""
        return base_url(self.endpoint, self.port)

    @abstractmethod
    async def complete(self, prompt: str, **kwargs: Any) -> str:
        """Return the model's answer to a prompt.

        Args:
            kwargs: `temperature` and `max_tokens` in the place of the client's own, and further fields of the request.

        Raises:
            ModelUnavailable: the endpoint did not answer, or cannot now.
            ModelError: it refused the request, or gave what cannot be read.
        """

    async def complete_with_tools(
        self, messages: list[dict[str, Any]], tools: list[dict[str, Any]], **kwargs: Any
    ) -> LLMResponse:
        """Return the model's next message in a conversation, with the tools that it wants called.

        Args:
            messages: in OpenAI's form: `system`, `user`, `assistant` (`LLMResponse.to_message_dict()`), and for each call's
                result `{"role": "tool", "tool_call_id": …, "content": …}`.
            tools: `{"name", "description", "inputSchema"}`, as MCP names them; OpenAI's and Anthropic's forms do too.
            kwargs: as in `complete`.

        Raises:
            NotImplementedError: this client has no tool calls.
            ModelError, ModelUnavailable: as `complete`.
        """
        raise NotImplementedError(f"{type(self).__name__} does not support tool calling")

    async def aclose(self) -> None:  # noqa: B027 - a client without connections has none to close
        """Let go of the connections that this event loop has to the endpoint; the client can be used again."""

    async def __aenter__(self) -> LLMClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
