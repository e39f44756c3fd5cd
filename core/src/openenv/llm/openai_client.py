"""Models behind endpoints that speak OpenAI's chat completions: OpenAI, vLLM, SGLang, Ollama, llama.cpp, TGI …"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from ..errors import ModelError
from .client import LLMClient
from .connections import Connections, sdk, told
from .response import LLMResponse, ToolCall
from .tools import ToolForm

NO_KEY = "not-needed"


class OpenAIClient(LLMClient):
    """A model at `{endpoint}:{port}/v1/chat/completions`; an endpoint with a path of its own is taken as it stands.

    Args:
        endpoint, port: see `LLMClient`.
        model: its name at the endpoint.
        api_key: None for servers that want none.
        system_prompt: sent before every prompt, and before conversations that have no system message. None sends none.
        temperature: None sends none.
        max_tokens: longest answer.
        use_max_completion_tokens: send the limit under the name that reasoning models want, and no temperature.
        max_retries: how often the SDK repeats what failed in a way that passes. Default 2.
        timeout_s: longest wait for one answer; None is the SDK's default (600).

    Raises:
        MissingExtra: the SDK is not installed.
        ValueError: endpoint and port make no URL.
    """

    def __init__(
        self,
        endpoint: str,
        port: int | None,
        model: str,
        api_key: str | None = None,
        system_prompt: str | None = None,
        temperature: float | None = 0.0,
        max_tokens: int = 256,
        use_max_completion_tokens: bool = False,
        *,
        max_retries: int = 2,
        timeout_s: float | None = None,
    ) -> None:
        super().__init__(endpoint, port)
        self.model = model
        self.system_prompt = system_prompt
        self.temperature = None if use_max_completion_tokens else temperature
        self.max_tokens = max_tokens
        self._limit = "max_completion_tokens" if use_max_completion_tokens else "max_tokens"
        url = self.base_url
        options: dict[str, Any] = {} if timeout_s is None else {"timeout": timeout_s}
        options |= {
            "base_url": url if urlsplit(url).path else f"{url}/v1",
            "api_key": api_key or NO_KEY,
            "max_retries": max_retries,
        }
        self._sdk = sdk("openai")
        self._connections = Connections(lambda: self._sdk.AsyncOpenAI(**options))

    async def complete(self, prompt: str, **kwargs: Any) -> str:
        return (await self._ask([{"role": "user", "content": prompt}], [], kwargs)).content

    async def complete_with_tools(
        self, messages: list[dict[str, Any]], tools: list[dict[str, Any]], **kwargs: Any
    ) -> LLMResponse:
        return await self._ask(messages, [ToolForm.of(tool) for tool in tools], kwargs)

    async def aclose(self) -> None:
        await self._connections.close()

    async def _ask(self, messages: list[dict[str, Any]], tools: list[ToolForm], options: dict[str, Any]) -> LLMResponse:
        fields = dict(options)
        fields[self._limit] = fields.pop("max_tokens", self.max_tokens)
        fields.setdefault("temperature", self.temperature)
        if tools:
            fields["tools"] = [{"type": "function", "function": _function(tool)} for tool in tools]
        if self.system_prompt is not None and not any(message["role"] == "system" for message in messages):
            messages = [{"role": "system", "content": self.system_prompt}, *messages]
        body = {name: value for name, value in fields.items() if value is not None}
        with told(self._sdk, self.model):
            reply = await self._connections.here().chat.completions.create(model=self.model, messages=messages, extra_body=body)
        return self._read(reply)

    def _read(self, reply: Any) -> LLMResponse:
        self.usage.calls += 1
        if reply.usage is not None:
            self.usage.input_tokens += reply.usage.prompt_tokens
            self.usage.output_tokens += reply.usage.completion_tokens
        if not reply.choices:
            raise ModelError(f"{self.model} gave no answer")
        message = reply.choices[0].message
        calls = [
            ToolCall(call.id, call.function.name, _arguments(self.model, call.function)) for call in message.tool_calls or []
        ]
        return LLMResponse(message.content or "", calls)


def _function(tool: ToolForm) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "parameters": tool.schema}


def _arguments(model: str, function: Any) -> dict[str, Any]:
    try:
        arguments = json.loads(function.arguments or "{}")
    except ValueError:
        arguments = None
    if not isinstance(arguments, dict):
        raise ModelError(f"{model} calls {function.name} with arguments that are no JSON object: {function.arguments[:200]!r}")
    return arguments
