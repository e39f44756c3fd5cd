"""Models behind endpoints that speak Anthropic's messages."""

from __future__ import annotations

import json
from typing import Any

from .client import LLMClient
from .connections import Connections, sdk, told
from .response import LLMResponse, ToolCall
from .tools import ToolForm

NO_KEY = "not-needed"


class AnthropicClient(LLMClient):
    """A model at `{endpoint}:{port}/v1/messages`. Arguments and errors as in `OpenAIClient`.

    Newer models take no temperature: give None for them.
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
        *,
        max_retries: int = 2,
        timeout_s: float | None = None,
    ) -> None:
        super().__init__(endpoint, port)
        self.model = model
        self.system_prompt = system_prompt
        self.temperature = temperature
        self.max_tokens = max_tokens
        options: dict[str, Any] = {} if timeout_s is None else {"timeout": timeout_s}
        options |= {"base_url": self.base_url, "api_key": api_key or NO_KEY, "max_retries": max_retries}
        self._sdk = sdk("anthropic")
        self._connections = Connections(lambda: self._sdk.AsyncAnthropic(**options))

    async def complete(self, prompt: str, **kwargs: Any) -> str:
        return (await self._ask([{"role": "user", "content": prompt}], [], kwargs)).content

    async def complete_with_tools(
        self, messages: list[dict[str, Any]], tools: list[dict[str, Any]], **kwargs: Any
    ) -> LLMResponse:
        return await self._ask(messages, [ToolForm.of(tool) for tool in tools], kwargs)

    async def aclose(self) -> None:
        await self._connections.close()

    async def _ask(self, messages: list[dict[str, Any]], tools: list[ToolForm], options: dict[str, Any]) -> LLMResponse:
        fields = {"temperature": self.temperature, **options}
        max_tokens = fields.pop("max_tokens", self.max_tokens)
        said = [message["content"] for message in messages if message["role"] == "system"]
        fields["system"] = "\n\n".join(said) if said else self.system_prompt
        if tools:
            fields["tools"] = [
                {"name": tool.name, "description": tool.description, "input_schema": tool.schema} for tool in tools
            ]
        body = {name: value for name, value in fields.items() if value is not None}
        with told(self._sdk, self.model):
            reply = await self._connections.here().messages.create(
                model=self.model, max_tokens=max_tokens, messages=_turns(messages), extra_body=body
            )
        return self._read(reply)

    def _read(self, reply: Any) -> LLMResponse:
        self.usage.calls += 1
        self.usage.input_tokens += reply.usage.input_tokens
        self.usage.output_tokens += reply.usage.output_tokens
        text = "".join(block.text for block in reply.content if block.type == "text")
        calls = [ToolCall(block.id, block.name, dict(block.input)) for block in reply.content if block.type == "tool_use"]
        return LLMResponse(text, calls)


def _turns(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a conversation in Anthropic's form: tool calls and results as blocks, results that follow in one turn."""
    turns: list[dict[str, Any]] = []
    answering = False
    for message in messages:
        if message["role"] == "system":
            continue
        if message["role"] == "tool":
            result = {"type": "tool_result", "tool_use_id": message["tool_call_id"], "content": _text(message["content"])}
            if answering:
                turns[-1]["content"].append(result)
            else:
                turns.append({"role": "user", "content": [result]})
        elif message.get("tool_calls"):
            turns.append({"role": "assistant", "content": _blocks(message)})
        else:
            turns.append({"role": message["role"], "content": message["content"]})
        answering = message["role"] == "tool"
    return turns


def _blocks(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message.get("content")
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) and content else list(content or [])
    for call in message["tool_calls"]:
        function = call["function"]
        arguments = json.loads(function["arguments"] or "{}")
        blocks.append({"type": "tool_use", "id": call["id"], "name": function["name"], "input": arguments})
    return blocks


def _text(content: Any) -> Any:
    """A tool's result as Anthropic takes it: text, or a list of blocks; anything else as JSON."""
    return content if isinstance(content, str | list) else json.dumps(content)
