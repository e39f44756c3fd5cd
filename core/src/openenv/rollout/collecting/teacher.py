"""Which model plays the episodes that are collected, and how it is asked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ...errors import UsageError
from ...llm.address import base_url
from ...llm.client import LLMClient
from ...llm.providers import create_llm_client
from .policy import ModelPolicy, Policy, Script, ScriptedPolicy

SCRIPTED = "scripted"
KEYS = {"openai": ("OPENAI_API_KEY", "API_KEY"), "anthropic": ("ANTHROPIC_API_KEY", "API_KEY")}
"""Environment variables that a provider's key is taken from, the first that is set."""
SYSTEM_PROMPT = (
    "You play an environment through tools. Read what was observed, then call one tool with arguments that fit. "
    "Go on until the environment is done."
)


@dataclass(frozen=True)
class Teacher:
    """Who plays. Its key is in none of its texts.

    Attributes:
        provider: `scripted`, or whose wire format the model speaks: `openai`, `anthropic`.
        model: its name at the endpoint.
        endpoint: URL of a server of one's own, with its port; None for the provider's.
        system_prompt: what a model is told first.
        temperature, max_tokens: as in `OpenAIClient`.
    """

    provider: str
    model: str | None = None
    endpoint: str | None = None
    system_prompt: str | None = None
    temperature: float | None = 0.2
    max_tokens: int = 200
    key: str = field(default="", repr=False)

    @classmethod
    def of(
        cls,
        provider: str,
        model: str | None,
        endpoint: str | None,
        port: int | None,
        system_prompt: str | None,
        temperature: float,
        max_tokens: int,
    ) -> Teacher:
        """Return who is asked for; an endpoint makes a model of `scripted`, one that speaks OpenAI's format.

        Raises:
            UsageError: no model is named, its key is not set, or endpoint and port make no URL.
        """
        if provider == SCRIPTED and endpoint is None:
            return cls(SCRIPTED)
        speaks = "openai" if provider == SCRIPTED else provider
        if model is None:
            raise UsageError(f"--model is missing: which model of {endpoint or speaks} plays?")
        key = next(filter(None, (os.environ.get(name) for name in KEYS[speaks])), "")
        if endpoint is None and not key:
            raise UsageError(f"no key for {speaks}: set {' or '.join(KEYS[speaks])}, or give --llm-endpoint")
        try:
            place = None if endpoint is None else base_url(endpoint, port)
        except ValueError as error:
            raise UsageError(f"--llm-endpoint: {error}") from None
        return cls(speaks, model, place, system_prompt or SYSTEM_PROMPT, temperature, max_tokens, key)

    @property
    def label(self) -> str:
        """How data sets name the provider: `openai-compatible` for a server of one's own."""
        return self.provider if self.endpoint is None else f"{self.provider}-compatible"

    @contextmanager
    def policy(self, script: Script) -> Iterator[Policy]:
        """Yield what plays: the script, or the model.

        Raises:
            MissingExtra: the provider's SDK is not installed.
        """
        if self.provider == SCRIPTED:
            yield ScriptedPolicy(script)
            return
        policy = ModelPolicy(self._client())
        try:
            yield policy
        finally:
            policy.close()

    def _client(self) -> LLMClient:
        return create_llm_client(
            self.provider,
            str(self.model),
            self.key,
            system_prompt=self.system_prompt,
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            endpoint=self.endpoint,
        )

    def described(self) -> dict[str, Any]:
        """Return what the metadata of a data set tells of it."""
        is_model = self.provider != SCRIPTED
        return {
            "provider": self.label,
            "model": self.model,
            "llm_endpoint": None if self.endpoint is None else without_secrets(self.endpoint),
            "llm_port": None if self.endpoint is None else urlsplit(self.endpoint).port,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens if is_model else None,
            "system_prompt": self.system_prompt,
        }

    def redacted(self, text: str) -> str:
        """Return a text, such as an endpoint's refusal, without the key."""
        return text.replace(self.key, "***") if self.key else text


def without_secrets(url: str) -> str:
    """Return a URL less a user, a password and a query."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()
