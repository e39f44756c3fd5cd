"""Clients of language models against a server that speaks both wire formats, through the vendors' SDKs."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from model_server import Model, serving_model

from openenv.errors import MissingExtra, ModelError, ModelUnavailable, UsageError
from openenv.llm import AnthropicClient, LLMClient, LLMResponse, OpenAIClient, ToolCall, create_llm_client

pytest.importorskip("openai")
pytest.importorskip("anthropic")

CLIENTS = [OpenAIClient, AnthropicClient]
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}, "required": ["a", "b"]}
ADD = {"name": "add", "description": "Adds two numbers", "inputSchema": SCHEMA}


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def port(model: Model) -> Iterator[int]:
    with serving_model(model) as port:
        yield port


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_prompt_is_answered(kind: Any, model: Model, port: int) -> None:
    async with kind("http://127.0.0.1", port, "m", api_key="secret", system_prompt="Be brief.") as client:
        assert await client.complete("hello") == "you said hello"
        assert await client.complete("again", temperature=0.5, max_tokens=9, top_p=0.5) == "you said again"
        first, second = model.requests
        assert (first["model"], first["key"], first["temperature"], first["max_tokens"]) == ("m", "secret", 0.0, 256)
        assert (second["temperature"], second["max_tokens"], second["top_p"]) == (0.5, 9, 0.5)
        told = first["system"] if kind is AnthropicClient else first["messages"][0]["content"]
        assert told == "Be brief."
        assert (client.usage.calls, client.usage.input_tokens, client.usage.output_tokens) == (2, 14, 6)


@pytest.mark.parametrize("kind", CLIENTS)
@pytest.mark.parametrize(
    "tool",
    [
        ADD,
        {"name": "add", "description": "Adds two numbers", "input_schema": SCHEMA},
        {"type": "function", "function": {"name": "add", "description": "Adds two numbers", "parameters": SCHEMA}},
    ],
    ids=["mcp", "anthropic", "openai"],
)
async def test_tools_are_called_and_their_results_read(kind: Any, tool: dict[str, Any], model: Model, port: int) -> None:
    model.say = lambda text: ("add", {"a": 1, "b": 2}) if text == "1 + 2?" else f"it is {text}"
    async with kind("http://127.0.0.1", port, "m", temperature=None) as client:
        messages: list[dict[str, Any]] = [{"role": "system", "content": "Add."}, {"role": "user", "content": "1 + 2?"}]
        answer = await client.complete_with_tools(messages, [tool])
        assert answer == LLMResponse("", [ToolCall("c1", "add", {"a": 1, "b": 2})])
        other = {"id": "c2", "type": "function", "function": {"name": "add", "arguments": '{"a": 2, "b": 3}'}}
        asked = answer.to_message_dict()
        asked["tool_calls"].append(other)
        results = [{"role": "tool", "tool_call_id": name, "content": text} for name, text in (("c1", "3"), ("c2", "5"))]
        assert await client.complete_with_tools([*messages, asked, *results], [tool]) == LLMResponse("it is 5")
    sent = model.requests[0]["tools"][0]
    form = sent if kind is AnthropicClient else sent["function"]
    assert form["description"] == "Adds two numbers"
    assert SCHEMA in form.values()
    assert "temperature" not in model.requests[0]


def _calling(arguments: str, _: str) -> tuple[str, str]:
    return "add", arguments


async def test_arguments_that_are_no_object_are_no_call(model: Model, port: int) -> None:
    async with OpenAIClient("http://127.0.0.1", port, "m") as client:
        for arguments in ('{"a": ', "[1]"):
            model.say = partial(_calling, arguments)
            with pytest.raises(ModelError, match="no JSON object"):
                await client.complete_with_tools([{"role": "user", "content": "x"}], [ADD])
        model.say = lambda _: ("add", "")
        answer = await client.complete_with_tools([{"role": "user", "content": "x"}], [ADD])
        assert answer.tool_calls[0].args == {}
        with pytest.raises(UsageError, match="a tool needs a name"):
            await client.complete_with_tools([], [{"description": "nameless"}])


@pytest.mark.parametrize("kind", CLIENTS)
async def test_what_passes_is_told_from_what_stays(kind: Any, model: Model, port: int) -> None:
    async with kind("http://127.0.0.1", port, "m", max_retries=0) as client:
        model.failures, model.retry_after = [429, 503, 401], "7"
        for status in (429, 503):
            with pytest.raises(ModelUnavailable, match="cannot answer now") as caught:
                await client.complete("x")
            assert (caught.value.retry_after_s, caught.value.details["status_code"]) == (7.0, status)
        for options in ({}, {"nonsense": 1}):
            with pytest.raises(ModelError, match="refused") as refused:
                await client.complete("x", **options)
            assert not refused.value.retryable
    async with kind("http://127.0.0.1", 9, "m", max_retries=0) as nobody:
        with pytest.raises(ModelUnavailable, match="cannot be reached") as unreachable:
            await nobody.complete("x")
        assert unreachable.value.retryable


@pytest.mark.parametrize("kind", CLIENTS)
async def test_the_sdk_repeats_what_passes(kind: Any, model: Model, port: int) -> None:
    model.failures, model.retry_after = [503], "0"
    async with kind("http://127.0.0.1", port, "m") as client:
        assert await client.complete("x") == "you said x"
    assert len(model.requests) == 2


async def test_a_slow_answer_is_given_up(model: Model, port: int) -> None:
    model.delay_s = 1.0
    async with OpenAIClient("http://127.0.0.1", port, "m", max_retries=0, timeout_s=0.1) as client:
        with pytest.raises(ModelUnavailable):
            await client.complete("x")


def test_a_client_serves_one_event_loop_after_another(model: Model, port: int) -> None:
    client = OpenAIClient(f"http://127.0.0.1:{port}/own", None, "m")

    async def ask() -> str:
        async with client:
            return await client.complete("x")

    assert [asyncio.run(ask()) for _ in range(2)] == ["you said x"] * 2
    assert model.requests[0]["path"] == "/own/chat/completions"


@pytest.mark.parametrize(
    ("endpoint", "port", "expected"),
    [
        ("http://x", 80, "http://x:80"),
        ("http://x/v1/", 8000, "http://x:8000/v1"),
        ("http://x:9/", None, "http://x:9"),
        ("https://api.openai.com", 443, "https://api.openai.com:443"),
    ],
)
def test_an_endpoint_and_a_port_make_a_url(endpoint: str, port: int | None, expected: str) -> None:
    assert OpenAIClient(endpoint, port, "m").base_url == AnthropicClient(endpoint, port, "m").base_url == expected


@pytest.mark.parametrize(("endpoint", "port"), [("x", 8000), ("ftp://x", None), ("http://x:9", 8)])
def test_what_is_no_endpoint_is_refused(endpoint: str, port: int | None) -> None:
    with pytest.raises(ValueError, match="endpoint"):
        OpenAIClient(endpoint, port, "m")


async def test_providers_are_known_by_name(model: Model, port: int) -> None:
    client = create_llm_client("Anthropic", "claude", "key", system_prompt="s")
    assert isinstance(client, AnthropicClient)
    assert (client.base_url, client.max_tokens, client.temperature) == ("https://api.anthropic.com:443", 4096, 0.0)
    with pytest.raises(ValueError, match="unsupported provider: 'other'; there are anthropic, openai"):
        create_llm_client("other", "m", "key")
    for name, reasons in (("gpt-4o", False), ("o3-mini", True), ("gpt-5", True)):
        async with create_llm_client("openai", name, "key", endpoint=f"http://127.0.0.1:{port}") as hosted:
            await hosted.complete("x")
        assert ("max_completion_tokens" in model.requests[-1], "temperature" in model.requests[-1]) == (reasons, not reasons)


async def test_a_client_of_ones_own_needs_no_tools() -> None:
    class Parrot(LLMClient):
        async def complete(self, prompt: str, **kwargs: Any) -> str:
            return prompt

    async with Parrot("http://x", None) as parrot:
        assert await parrot.complete("hello") == "hello"
        with pytest.raises(NotImplementedError, match="Parrot does not support tool calling"):
            await parrot.complete_with_tools([], [])


@pytest.mark.parametrize("kind", CLIENTS)
def test_a_missing_sdk_says_what_to_install(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def without(name: str, *arguments: Any) -> Any:
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr("importlib.import_module", without)
    with pytest.raises(MissingExtra, match=r"pip install 'openenv-core\[llm\]'") as missing:
        kind("http://x", 1, "m")
    assert isinstance(missing.value, ImportError)


def test_importing_the_clients_imports_no_sdk() -> None:
    code = "import sys, openenv.llm, openenv.rubrics; print([m for m in ('openai', 'anthropic', 'httpx') if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
