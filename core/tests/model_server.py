"""A local HTTP server that speaks the wire formats of OpenAI's chat completions and Anthropic's messages.

It holds callers to the formats: a request that the vendor would refuse is refused with the vendor's error.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from serving import running
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

SHARED_FIELDS = {"model", "messages", "max_tokens", "temperature", "top_p", "tools", "stream", "metadata"}
OPENAI_FIELDS = SHARED_FIELDS | {"max_completion_tokens", "stop", "seed"}
ANTHROPIC_FIELDS = SHARED_FIELDS | {"system", "stop_sequences", "cache_control"}

Say = Callable[[str], Any]


@dataclass
class Model:
    """What the server does and saw.

    Attributes:
        say: from the last message's text to the answer: text, or `(tool name, arguments)` to call a tool.
        failures: statuses that the next requests get, first come first served.
        delay_s: how long an answer takes.
        retry_after: the header of that name on failures.
        requests: bodies as they came, with the path as `path` and the key as `key`.
        most_at_once: the largest number of requests that were open together.
    """

    say: Say = lambda text: f"you said {text}"
    failures: list[int] = field(default_factory=list)
    delay_s: float = 0.0
    retry_after: str | None = None
    requests: list[dict[str, Any]] = field(default_factory=list)
    most_at_once: int = 0
    at_once: int = 0

    async def chat(self, request: Request) -> JSONResponse:
        return await self._answer(request, _openai_mistake, _openai_reply, request.headers.get("authorization", "")[7:])

    async def messages(self, request: Request) -> JSONResponse:
        key = request.headers.get("x-api-key") or request.headers.get("authorization", "")[7:]
        mistake = "the header anthropic-version is missing" if "anthropic-version" not in request.headers else None
        return await self._answer(request, lambda body: mistake or _anthropic_mistake(body), _anthropic_reply, key)

    async def _answer(
        self, request: Request, mistake: Callable[[Any], str | None], reply: Callable[[Any, Any], Any], key: str
    ) -> JSONResponse:
        body = json.loads(await request.body())
        self.requests.append({**body, "path": request.url.path, "key": key})
        if self.failures:
            headers = {} if self.retry_after is None else {"retry-after": self.retry_after}
            return JSONResponse({"error": {"type": "error", "message": "not now"}}, self.failures.pop(0), headers)
        if (wrong := mistake(body)) is not None:
            return JSONResponse({"error": {"type": "invalid_request_error", "message": wrong}}, 400)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(self.delay_s)
        self.at_once -= 1
        return JSONResponse(reply(body, self.say(_last_text(body))))


@contextmanager
def serving_model(model: Model) -> Iterator[int]:
    """Serve a model; yields the port on 127.0.0.1."""
    routes = [Route(f"/{name}", handler, methods=["POST"]) for name, handler in _paths(model)]
    with running(Starlette(routes=routes)) as url:
        yield int(url.rpartition(":")[2])


def _paths(model: Model) -> list[tuple[str, Any]]:
    return [("v1/chat/completions", model.chat), ("v1/messages", model.messages), ("own/chat/completions", model.chat)]


def _last_text(body: Any) -> str:
    content = body["messages"][-1]["content"]
    if isinstance(content, str):
        return content
    last = content[-1]
    return str(last["text"] if last["type"] == "text" else last["content"])


def _openai_mistake(body: Any) -> str | None:
    if strange := body.keys() - OPENAI_FIELDS:
        return f"unrecognized: {', '.join(strange)}"
    asked: set[str] = set()
    for message in body["messages"]:
        if message["role"] not in ("system", "user", "assistant", "tool"):
            return f"no such role: {message['role']}"
        for call in message.get("tool_calls", ()):
            json.loads(call["function"]["arguments"])
            asked.add(call["id"])
        if message["role"] == "tool" and message["tool_call_id"] not in asked:
            return "a tool message must follow its call"
    for tool in body.get("tools", ()):
        if tool["type"] != "function" or tool["function"]["parameters"]["type"] != "object":
            return "a tool is a function with an object of parameters"
    return None


def _anthropic_mistake(body: Any) -> str | None:
    if strange := body.keys() - ANTHROPIC_FIELDS:
        return f"unrecognized: {', '.join(strange)}"
    if "max_tokens" not in body:
        return "max_tokens: field required"
    asked: set[str] = set()
    for message in body["messages"]:
        if message["role"] not in ("user", "assistant"):
            return f"no such role: {message['role']}"
        blocks = message["content"] if isinstance(message["content"], list) else []
        results = {block["tool_use_id"] for block in blocks if block["type"] == "tool_result"}
        if asked != results:
            return f"every tool_use needs its tool_result in the next message: {asked}, {results}"
        asked = {block["id"] for block in blocks if block["type"] == "tool_use"}
        if any(block["type"] == "text" and not block["text"] for block in blocks):
            return "text blocks must be non-empty"
    if any(tool["input_schema"]["type"] != "object" for tool in body.get("tools", ())):
        return "a tool has an object of inputs"
    return None


def _openai_reply(body: Any, said: Any) -> Any:
    message: dict[str, Any] = {"role": "assistant", "content": said}
    if isinstance(said, tuple):
        function = {"name": said[0], "arguments": said[1] if isinstance(said[1], str) else json.dumps(said[1])}
        message = {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "type": "function", "function": function}]}
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": body["model"],
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
    }


def _anthropic_reply(body: Any, said: Any) -> Any:
    blocks: list[dict[str, Any]] = [{"type": "text", "text": said}]
    if isinstance(said, tuple):
        blocks = [{"type": "tool_use", "id": "c1", "name": said[0], "input": said[1]}]
    return {
        "id": "1",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": blocks,
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 7, "output_tokens": 3},
    }
