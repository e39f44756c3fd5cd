"""The vendors whose hosted models are reached by name."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .anthropic_client import AnthropicClient
from .client import LLMClient
from .openai_client import OpenAIClient

HOSTED: dict[str, tuple[Callable[..., LLMClient], str]] = {
    "anthropic": (AnthropicClient, "https://api.anthropic.com"),
    "openai": (OpenAIClient, "https://api.openai.com"),
}
HTTPS_PORT = 443
REASONING = re.compile(r"(o\d|gpt-5)")
"""How the names of OpenAI's models begin that want `max_completion_tokens` and take no temperature."""


def create_llm_client(
    provider: str,
    model: str,
    api_key: str,
    *,
    system_prompt: str | None = None,
    temperature: float | None = 0.0,
    max_tokens: int = 4096,
    endpoint: str | None = None,
) -> LLMClient:
    """Return a client of a vendor's hosted model.

    Args:
        provider: whose wire format it is: `openai` or `anthropic`.
        model, api_key, system_prompt, temperature, max_tokens: as in `OpenAIClient`.
        endpoint: URL of a gateway to take in the place of the vendor's own address.

    Raises:
        ValueError: the provider is unknown.
        MissingExtra: the provider's SDK is not installed.
    """
    known = HOSTED.get(provider.lower())
    if known is None:
        raise ValueError(f"unsupported provider: {provider!r}; there are {', '.join(sorted(HOSTED))}")
    make, hosted = known
    options: dict[str, Any] = {"system_prompt": system_prompt, "temperature": temperature, "max_tokens": max_tokens}
    if make is OpenAIClient and REASONING.match(model):
        options["use_max_completion_tokens"] = True
    place = (hosted, HTTPS_PORT) if endpoint is None else (endpoint, None)
    return make(*place, model, api_key, **options)
