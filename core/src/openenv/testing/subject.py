"""What a contract is held against."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import httpx
from pydantic import TypeAdapter

from ..client.address import is_loopback
from ..client.generic import GenericEnvClient
from ..client.sync import SyncEnvClient
from ..errors import ConnectError
from ..sessions.spec import EnvironmentSpec, environment_spec
from .one_field import one_field
from .verdict import DoesNotApply

Session = SyncEnvClient[dict[str, Any], dict[str, Any], dict[str, Any]]

DRAWN_ACTIONS = 40


def the_same(observation: dict[str, Any]) -> dict[str, Any]:
    """Return an observation as it is."""
    return observation


def legal_actions(observation: dict[str, Any]) -> Sequence[Any] | None:
    """Return the legal actions that an observation lists as `legal_actions`, or None where it lists none."""
    listed = observation.get("legal_actions")
    return listed if isinstance(listed, list) else None


@dataclass
class Subject:
    """An environment of this process, or a server's. Give `environment` or `url`.

    Attributes:
        environment: a class, or a factory of environments.
        url: base URL of a running server.
        reset_options: what every reset is given beside the seed.
        legal: returns the actions that may be done after an observation; dicts, or values of the one field that an action
            needs, or of its first where it needs none. None: whatever the action's schema allows.
        comparable: returns an observation without what may differ between two runs of the same actions, such as times.
        longest: steps after which an episode is left.
        timeout_s: seconds that a call may take.
    """

    environment: Any = None
    url: str | None = None
    reset_options: dict[str, Any] = field(default_factory=dict)
    legal: Callable[[dict[str, Any]], Sequence[Any] | None] = legal_actions
    comparable: Callable[[dict[str, Any]], dict[str, Any]] = the_same
    longest: int = 60
    timeout_s: float = 30.0

    def open(self) -> Session:
        """Return a session of its own, in process or at the server; not connected yet."""
        if self.url is not None:
            return GenericEnvClient(base_url=self.url, message_timeout_s=self.timeout_s).sync()
        return GenericEnvClient.from_environment(self.environment, message_timeout_s=self.timeout_s).sync()

    @contextmanager
    def served(self) -> Iterator[Subject]:
        """Serve the environment on a real socket, and yield it as that server's. Raises `DoesNotApply` for a server."""
        from ..server import create_app
        from ..server.background import in_background

        if self.url is not None:
            raise DoesNotApply("it is at a server already")
        with in_background(create_app(self.environment)) as url:
            yield Subject(None, url, self.reset_options, self.legal, self.comparable, self.longest, self.timeout_s)

    @cached_property
    def spec(self) -> EnvironmentSpec:
        """The environment as the server sees it. Raises `DoesNotApply` for a server's."""
        if self.url is not None:
            raise DoesNotApply("only a server is known, not the class behind it")
        return environment_spec(self.environment)

    @cached_property
    def schemas(self) -> dict[str, dict[str, Any]]:
        """JSON schemas of `action`, `observation` and `state`."""
        if self.url is not None:
            return self._told("schema")
        models = {"action": self.spec.action, "observation": self.spec.observation, "state": self.spec.state}
        return {name: TypeAdapter(model).json_schema() for name, model in models.items()}

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """What the environment says of itself."""
        if self.url is not None:
            return self._told("metadata")
        return self.spec.metadata().model_dump()

    def _told(self, page: str) -> dict[str, Any]:
        """Return what the server tells at a path. Raises `ConnectError` where it does not, or is no such server."""
        try:
            reply = httpx.get(f"{self.url}/{page}", timeout=self.timeout_s, trust_env=not is_loopback(str(self.url)))
            return dict(reply.raise_for_status().json())
        except httpx.TransportError as error:
            raise ConnectError(f"no server answers at {self.url}: {str(error) or type(error).__name__}") from None
        except httpx.HTTPStatusError as error:
            told = f"{self.url}/{page} answers {error.response.status_code}, and an environment's server tells its {page} there"
            raise ConnectError(told) from None
        except (httpx.HTTPError, ValueError, TypeError) as error:
            raise ConnectError(f"{self.url}/{page} does not tell what an environment's server does: {error}") from None

    @cached_property
    def drawn(self) -> list[dict[str, Any]]:
        """Actions that fit the schema."""
        from .schema_values import examples, legal

        return [_without_notes(action) for action in examples(legal(self.schemas["action"]), DRAWN_ACTIONS)]

    @cached_property
    def misfits(self) -> list[dict[str, Any]]:
        """Actions that do not."""
        from .schema_values import examples, illegal

        return examples(illegal(self.schemas["action"]), DRAWN_ACTIONS)

    def choices(self, observation: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the actions that may be done after an observation, or those of the schema where that is all that is known."""
        listed = self.legal(observation)
        if listed is None:
            return self.drawn
        return [action if isinstance(action, dict) else {self._one_field: action} for action in listed]

    @cached_property
    def _one_field(self) -> str:
        name = one_field(self.schemas["action"])
        if name is None:
            raise DoesNotApply("legal actions are bare values, and an action needs more than one field: return dicts")
        return name


def _without_notes(action: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in action.items() if name != "metadata"}
