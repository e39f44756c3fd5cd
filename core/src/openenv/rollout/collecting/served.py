"""The environment at a server, as episodes are collected from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx

from ...client.address import address, is_loopback
from ...client.generic import GenericEnvClient
from ...client.tools import MCPToolClient
from ...contract.tools import Tool
from ...errors import ConnectError, ExecutionError, InvalidActionError, OpenEnvError, UsageError

ACT = "act"
"""The tool that stands for a step with an action of the environment's own."""
VARIANT_FIELDS = ("game_name", "env_id", "dataset_name")
"""What the states of environments that hold many games or data sets call the one in play; their resets take it so, too."""
TOOL_ACTIONS = frozenset({"CallToolAction", "ListToolsAction", "Action"})
ENDINGS = ("environment", "env")


@dataclass(frozen=True)
class ServedEnvironment:
    """What collecting knows of an environment at a server.

    Attributes:
        url: the server's base URL.
        name: what the environment calls itself.
        tools: what a model may call: the environment's own tools, and `act` where it has actions beside them.
        reset_options: what every reset is given beside the seed.
        takes_seed: whether its reset does.
        adds_rewards: whether an episode's reward is the sum of its steps' rewards; else it is that of the last step.
    """

    url: str
    name: str
    tools: list[Tool]
    reset_options: dict[str, Any] = field(default_factory=dict)
    takes_seed: bool = True
    adds_rewards: bool = False

    @classmethod
    def at(
        cls, base_url: str, env: str, reset_options: dict[str, Any] | None = None, *, timeout_s: float = 30.0
    ) -> ServedEnvironment:
        """Ask a server what it serves, and reset it once to see that it takes what every reset will be given.

        Args:
            base_url: of the server.
            env: the environment's name, or `NAME:VARIANT`; the variant is the game or data set that its reset chooses.
            reset_options: what else every reset is given.
            timeout_s: longest wait for one answer.

        Raises:
            UsageError: the server serves another environment, or does not take the variant or the options.
            ConnectError: no server answers there, or it is none of an environment.
            OpenEnvError: the first reset failed.
        """
        url = address(base_url).http
        metadata, schemas = _page(url, "metadata", timeout_s), _page(url, "schema", timeout_s)
        name, colon, variant = env.partition(":")
        told = str(metadata.get("name") or "")
        if _plain(name) != _plain(told):
            raise UsageError(f"the server at {url} serves {told}, not {name}: write {told.lower()} or give another --base-url")
        options = dict(reset_options or {})
        chosen = _variant_field(schemas.get("state") or {}) if colon else None
        if colon and (not variant or chosen is None):
            raise UsageError(f"{told} has no variants known by name: leave out :{variant} and say by --reset what is played")
        if chosen is not None:
            options[chosen] = variant
        takes_seed = _first_reset(url, options, chosen, timeout_s)
        tools = _tools(url, schemas.get("action") or {}, timeout_s)
        return cls(url, told, tools, options, takes_seed, metadata.get("reward_kind") == "delta")


def _page(url: str, page: str, timeout_s: float) -> dict[str, Any]:
    try:
        reply = httpx.get(f"{url}/{page}", timeout=timeout_s, trust_env=not is_loopback(url))
        return dict(reply.raise_for_status().json())
    except (httpx.HTTPError, ValueError, TypeError) as error:
        raise ConnectError(f"no environment's server answers at {url}: {error}") from None


def _plain(name: str) -> str:
    """Return a name as it is compared: `openspiel` for `OpenSpielEnvironment`, `openspiel_env` and `openspiel-env`."""
    plain = "".join(letter for letter in name.lower() if letter.isalnum())
    ending = next((ending for ending in ENDINGS if plain.endswith(ending) and plain != ending), "")
    return plain.removesuffix(ending)


def _variant_field(state: dict[str, Any]) -> str | None:
    return next((name for name in VARIANT_FIELDS if name in state.get("properties", {})), None)


def _first_reset(url: str, options: dict[str, Any], chosen: str | None, timeout_s: float) -> bool:
    """Reset once; return whether the reset takes a seed."""
    with GenericEnvClient(base_url=url, message_timeout_s=timeout_s).sync() as client:
        takes_seed = True
        try:
            try:
                client.reset(seed=0, **options)
            except InvalidActionError as error:
                if "take seed" not in error.message:
                    raise
                takes_seed = False
                client.reset(**options)
        except InvalidActionError as error:
            raise UsageError(error.message) from None
        except ExecutionError as error:
            raise _refusal(error, UsageError(f"the environment refuses its reset: {error.message}")) from None
        if chosen is not None and (played := client.state().get(chosen)) != options[chosen]:
            raise UsageError(f"the server plays {played} whatever its reset is told: write :{played} or start another server")
    return takes_seed


def _refusal(error: ExecutionError, usage: UsageError) -> OpenEnvError:
    return usage if is_refusal(error) else error


def is_refusal(error: OpenEnvError) -> bool:
    """Return whether an environment refused what it was told, rather than failed: it raised a `ValueError`."""
    return isinstance(error, InvalidActionError) or error.details.get("error_type") == ValueError.__name__


def _tools(url: str, action: dict[str, Any], timeout_s: float) -> list[Tool]:
    with MCPToolClient(base_url=url, message_timeout_s=timeout_s).sync() as client:
        try:
            found = client.list_tools()
        except OpenEnvError:  # an environment that is not made of tools says so in several ways
            found = []
    if action.get("title") in TOOL_ACTIONS and found:
        return found
    fields = {name: schema for name, schema in action.get("properties", {}).items() if name != "metadata"}
    shape = {name: part for name, part in action.items() if name in ("$defs", "required", "additionalProperties")}
    own = Tool(
        name=ACT,
        description=str(action.get("description") or "Do one action."),
        input_schema={"type": "object", "properties": fields, **shape},
    )
    return [*(tool for tool in found if tool.name != ACT), own]
