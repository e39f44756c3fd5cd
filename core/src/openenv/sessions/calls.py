"""The one place that calls an environment."""

from __future__ import annotations

import asyncio
import inspect
import logging
import random
from collections.abc import Callable
from functools import partial
from typing import Any

from pydantic import BaseModel

from ..contract.environment import NoEpisodeError
from ..contract.models import Observation
from ..errors import ExecutionError, InvalidActionError, NotSupportedError, OpenEnvError
from ..mcp.environment import MCPEnvironment
from ..mcp.rpc import respond, respond_async
from ..wire import messages
from ..wire.messages import DEFAULT_MAX_MESSAGE_BYTES, Request
from ..wire.replies import Continued, reply_data
from ..wire.values import encode as encode_v1
from .offers import metadata_of, tasks_of
from .spec import AnyEnvironment, EnvironmentSpec, overrides

logger = logging.getLogger("openenv.environment")

Encode = Callable[[Any], bytes]

ENVELOPE_BYTES = 128
"""What a message may add to the `data` of a reply."""


class Calls:
    """One environment, from being built to being closed. Its methods are called one at a time.

    `run` is for environments that block, `run_async` for those that wait on the event loop.

    Args:
        spec: the environment.
        max_message_bytes: longest reply, its envelope included.
    """

    def __init__(self, spec: EnvironmentSpec, max_message_bytes: int = DEFAULT_MAX_MESSAGE_BYTES) -> None:
        self._spec = spec
        self._takes_timeout = spec.step_takes_timeout
        self._read_action = spec.read_action
        self._longest = max_message_bytes - ENVELOPE_BYTES
        self._environment: AnyEnvironment | None = None
        self._over = False
        self._arguments: dict[str, Any] = {}
        self._seeds: random.Random | None = None
        self._reset: Callable[..., Any]
        self._step: Callable[..., Any]

    def open(self) -> None:
        """Build the environment. Raises `FactoryError` where that fails."""
        environment = self._environment = self._spec.build()
        if isinstance(environment, MCPEnvironment):
            environment.server_mode = self._spec.mode
        cls = self._spec.cls
        self._reset = environment.reset_async if overrides(cls, "reset_async") else environment.reset
        self._step = environment.step_async if overrides(cls, "step_async") else environment.step

    def run(self, request: Request, encode: Encode = encode_v1) -> bytes:
        """Do what a request asks for and return the reply's encoded `data`.

        Raises:
            InvalidActionError: the action does not fit its model; the environment was not called.
            ExecutionError: the environment raised, or returned what it must not or what is too long.
        """
        return self.encoded(request, self.value_of(request), encode)

    def value_of(self, request: Request) -> Any:
        """As `run`, but return what the environment gave as it is."""
        if request.autoreset == messages.DISABLED or request.type != messages.STEP:
            return self._perform(request)
        if self._over and request.autoreset == messages.NEXT_STEP:
            return self._perform(self._next_episode())
        value = self._perform(request)
        if not (value.done and request.autoreset == messages.SAME_STEP):
            return value
        try:
            return Continued(self._perform(self._next_episode()), value)
        except OpenEnvError as error:
            raise _not_continued(value, error) from error

    def step(self, data: Any, timeout_s: float | None) -> Any:
        """Do one action and return what the environment gave; raises as `run`."""
        if self._environment is None:
            raise ExecutionError(f"{self._spec.name} is closed")
        action = self._read_action(data)
        if self._over:
            raise ExecutionError("the episode is over: reset() starts the next one")
        try:
            if timeout_s is not None and self._takes_timeout:
                value = self._step(action, timeout_s=timeout_s)
            else:
                value = self._step(action)
        except OpenEnvError:
            raise
        except BaseException as error:
            raise self._failure(messages.STEP, error) from error
        return self._checked(messages.STEP, value)

    def _perform(self, request: Request) -> Any:
        if request.type == messages.STEP:
            return self.step(request.data, request.timeout_s)
        call = self._prepare(request)
        try:
            value = call()
        except OpenEnvError:
            raise
        except BaseException as error:
            raise self._failure(request.type, error) from error
        return self._done(request, value)

    async def run_async(self, request: Request, encode: Encode = encode_v1) -> bytes:
        """As `run`, awaiting what the environment returns where it is awaitable."""
        return self.encoded(request, await self._value_of_async(request), encode)

    async def _value_of_async(self, request: Request) -> Any:
        if request.autoreset == messages.DISABLED or request.type != messages.STEP:
            return await self._perform_async(request)
        if self._over and request.autoreset == messages.NEXT_STEP:
            return await self._perform_async(self._next_episode())
        value = await self._perform_async(request)
        if not (value.done and request.autoreset == messages.SAME_STEP):
            return value
        try:
            return Continued(await self._perform_async(self._next_episode()), value)
        except OpenEnvError as error:
            raise _not_continued(value, error) from error

    async def _perform_async(self, request: Request) -> Any:
        call = self._prepare(request)
        try:
            value = call()
            if inspect.isawaitable(value):
                value = await value
        except OpenEnvError:
            raise
        except asyncio.CancelledError as error:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            raise self._failure(request.type, error) from error
        except BaseException as error:
            raise self._failure(request.type, error) from error
        return self._done(request, value)

    def close(self) -> Any:
        """Close the environment; returns an awaitable where its `close` is one. An error there is logged."""
        environment, self._environment = self._environment, None
        try:
            return environment.close() if environment is not None and hasattr(environment, "close") else None
        except BaseException:
            logger.exception("%s.close() failed", self._spec.name)
            return None

    def _prepare(self, request: Request) -> Callable[[], Any]:
        environment = self._environment
        if environment is None:
            raise ExecutionError(f"{self._spec.name} is closed")
        if request.type == messages.STEP:
            return self._prepare_step(request)
        if request.type in messages.OF_TOOLS:
            answer = respond_async if self._spec.is_async else respond
            return partial(answer, environment, request.data, standard=request.type == messages.TOOLS)
        if request.type == messages.RENDER:
            return lambda: _picture_of(environment)
        if request.type == messages.PAGE:
            return lambda: _page_of(environment, request.data)
        if request.type == messages.TASKS:
            return lambda: tasks_of(environment, request.data)
        if request.type == messages.METADATA:
            return lambda: metadata_of(environment)
        if request.type == messages.RESET:
            return partial(self._reset, **self._reset_arguments(request))
        return lambda: _state_of(environment)

    def _prepare_step(self, request: Request) -> Callable[[], Any]:
        action = self._spec.read_action(request.data)
        if self._over:
            raise ExecutionError("the episode is over: reset() starts the next one")
        if request.timeout_s is not None and self._spec.step_takes_timeout:
            return partial(self._step, action, timeout_s=request.timeout_s)
        return partial(self._step, action)

    def _next_episode(self) -> Request:
        """Return the reset that follows an episode's end by itself: with the arguments of the one before.

        A seed of the caller's decides those of all the episodes that follow; without one each is drawn afresh.
        """
        data = {name: value for name, value in self._arguments.items() if name not in ("seed", "episode_id")}
        if self._seeds is not None:
            data["seed"] = self._seeds.getrandbits(31)
        return Request(messages.RESET, data, continues=True)

    def _reset_arguments(self, request: Request) -> dict[str, Any]:
        data, names = request.data or {}, self._spec.reset_names
        for name, kind, called in (("seed", int, "a whole number"), ("episode_id", str, "text")):
            if request.strict and (given := data.get(name)) is not None and type(given) is not kind:
                raise InvalidActionError(f"{name} is {called} or nothing, not {type(given).__name__}")
        if names is None:
            return data
        unknown = data.keys() - names - {"episode_id"}
        if unknown and request.strict:
            taken = f"it takes {', '.join(sorted(names))}" if names else "it takes no arguments"
            raise InvalidActionError(f"{self._spec.name}.reset does not take {', '.join(sorted(unknown))}; {taken}")
        return {name: value for name, value in data.items() if name in names}

    def _done(self, request: Request, value: Any) -> Any:
        """Return what the environment gave, and keep how an episode began for those that follow it by themselves."""
        checked = self._checked(request.type, value)
        if request.type == messages.RESET and not request.continues:
            self._arguments = self._reset_arguments(request)
            seed = self._arguments.get("seed")
            self._seeds = random.Random(seed) if type(seed) is int else None
        return checked

    def _checked(self, kind: str, value: Any) -> Any:
        """Return what the environment gave. Raises `ExecutionError` where that is nothing that it may give."""
        if isinstance(value, Observation) and kind not in _RETURNS:
            try:
                self._over = bool(value.done)
            except AttributeError as error:
                raise ExecutionError(f"what {self._spec.name}.{kind} gave cannot be sent: {error}") from error
            return value
        expected, name = _RETURNS.get(kind, (Observation, "an Observation"))
        if not isinstance(value, expected):
            raise ExecutionError(f"{self._spec.name}.{kind} must give {name}, but gave {type(value).__name__}")
        return value

    def encoded(self, request: Request, value: Any, encode: Encode) -> bytes:
        """Return the bytes of what the environment gave. Raises `ExecutionError` where there are none, or too many."""
        try:
            data = encode(value)
        except (ValueError, AttributeError) as error:
            raise ExecutionError(f"what {self._spec.name}.{request.type} gave cannot be sent: {error}") from error
        if len(data) > self._longest:
            raise ExecutionError(
                f"what {self._spec.name}.{request.type} gave cannot be sent: it has {len(data)} bytes, and a message may have "
                f"{self._longest + ENVELOPE_BYTES} (max_message_bytes), {ENVELOPE_BYTES} of them for its envelope"
            )
        return data

    def _failure(self, call: str, error: BaseException) -> ExecutionError:
        if not isinstance(error, ValueError | NoEpisodeError):
            logger.warning("%s.%s failed", self._spec.name, call, exc_info=error)
        kind = type(error).__name__
        told = str(error) or f"{kind} in {self._spec.name}.{call}"
        if not isinstance(error, ValueError | RuntimeError) and str(error):
            told = f"{kind}: {told}"
        return ExecutionError(told, error_type=kind)


_RETURNS: dict[str, tuple[type, str]] = {
    messages.STATE: (BaseModel, "a State"),
    messages.RENDER: (dict, "a MIME bundle"),
    messages.PAGE: (dict, "what a page shows"),
    **dict.fromkeys(messages.OF_TOOLS, (dict, "an answer")),
    messages.TASKS: (dict, "tasks"),
    messages.METADATA: (dict, "an EnvironmentMetadata"),
}


def _not_continued(last: Observation, error: OpenEnvError) -> ExecutionError:
    """Return the error of a step that ended an episode after which no other could begin; `final` is what it gave."""
    told = f"the episode ended and the next could not begin: {error.message}"
    return ExecutionError(told, **{**error.details, "final": reply_data(last, as_json=True)})


def _picture_of(environment: AnyEnvironment) -> Any:
    try:
        return environment.render()
    except (NotImplementedError, AttributeError) as error:
        raise NotSupportedError(str(error)) from None


def _page_of(environment: AnyEnvironment, observation: Any) -> dict[str, Any]:
    draw, offer = getattr(environment, "render_web", None), getattr(environment, "web_actions", None)
    return {"html": draw and draw(observation), "actions": offer(observation) if offer else []}


def _state_of(environment: AnyEnvironment) -> Any:
    state = environment.state
    return state() if callable(state) else state
