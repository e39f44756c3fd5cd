"""What a server knows of an environment before it builds one."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import inspect
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_type_hints

from pydantic import BaseModel

from ..contract.environment import Environment, describe
from ..contract.generics import models
from ..contract.mode import ServerMode
from ..contract.models import Action, EnvironmentMetadata, Observation, State
from ..contract.tools import CallToolAction, CallToolObservation, ListToolsAction
from ..errors import FactoryError, OpenEnvError, UsageError
from ..mcp.environment import MCPEnvironment
from ..wire.validation import Reader

AnyEnvironment = Environment[Any, Any, Any]


@dataclass(frozen=True)
class EnvironmentSpec:
    """How to build an environment and what it speaks; made once an app.

    Attributes:
        cls: the class of what `build` returns.
        factory: builds one.
        shared: `factory` returns the same instance each time, which its maker closes.
        action, observation, state: the models.
        name: how the environment is called towards users.
        is_async: it is called on the event loop.
        reset_names: the arguments that `reset` takes, or None where it takes any.
        step_takes_timeout: `step` has a `timeout_s`.
        mode: which of a tool's variants are offered.
    """

    cls: type[AnyEnvironment]
    factory: Callable[[], AnyEnvironment]
    shared: bool
    action: type[Action]
    observation: type[Observation]
    state: type[State]
    name: str
    is_async: bool
    reset_names: frozenset[str] | None
    step_takes_timeout: bool
    read_action: Callable[[Any], Action]
    mode: ServerMode = ServerMode.SIMULATION

    @property
    def concurrent(self) -> bool:
        """Whether several instances may live in one process."""
        return not self.shared and bool(getattr(self.cls, "SUPPORTS_CONCURRENT_SESSIONS", False))

    def build(self) -> AnyEnvironment:
        """Return an environment. Raises `FactoryError` where building fails."""
        try:
            return self.factory()
        except BaseException as error:
            kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
            raise FactoryError(f"{self.name} could not be built: {kind}{error}") from error

    def metadata(self) -> EnvironmentMetadata:
        """Return what the class says of itself."""
        return describe(self.cls, self.name)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by the names of the class, the factory and those models that the class does not say itself."""
        found = _models_of(self.cls)
        chosen = (self.action, self.observation, self.state)
        given = [None if model is own else model for model, own in zip(chosen, found, strict=True)]
        return (_spec, (self.cls, self.factory, self.shared, *given, self.name, self.mode))


def environment_spec(
    env: Any,
    action_cls: type[Any] | None = None,
    observation_cls: type[Any] | None = None,
    state_cls: type[Any] | None = None,
    *,
    name: str | None = None,
) -> EnvironmentSpec:
    """Return the spec of an environment given as a class, a factory or an instance.

    Model classes that are not given come from the class's `Environment[…]`. A factory whose class cannot be seen from a
    return annotation is called once to find out.

    Raises:
        UsageError: `env` is none of the three, a model is missing, or a model is decorated with `@dataclass`.
        FactoryError: the factory had to be called and failed.
    """
    return _spec(*_class_of(env), action_cls, observation_cls, state_cls, name)


def _spec(
    cls: type[AnyEnvironment],
    factory: Callable[[], AnyEnvironment],
    shared: bool,
    action_cls: type[Any] | None,
    observation_cls: type[Any] | None,
    state_cls: type[Any] | None,
    name: str | None,
    mode: ServerMode = ServerMode.SIMULATION,
) -> EnvironmentSpec:
    found = _models_of(cls)
    action = _model("action_cls", action_cls or found[0], cls)
    observation = _model("observation_cls", observation_cls or found[1], cls)
    state = _model("state_cls", state_cls or found[2], cls)
    is_async = runs_on_loop(cls)
    reset = cls.reset_async if overrides(cls, "reset_async") else cls.reset
    step = cls.step_async if overrides(cls, "step_async") else cls.step
    step_names = parameter_names(step)
    return EnvironmentSpec(
        cls=cls,
        factory=factory,
        shared=shared,
        action=action,
        observation=observation,
        state=state,
        name=name or cls.__name__,
        is_async=is_async,
        reset_names=parameter_names(reset),
        step_takes_timeout=step_names is None or "timeout_s" in step_names,
        read_action=_action_reader(action, offers_tools=issubclass(cls, MCPEnvironment)),
        mode=mode,
    )


def _class_of(env: Any) -> tuple[type[AnyEnvironment], Callable[[], AnyEnvironment], bool]:
    if isinstance(env, type):
        return _checked(env), env, False
    if isinstance(env, Environment) or (hasattr(env, "reset") and hasattr(env, "step")):
        return _checked(type(env)), lambda: env, True
    if not callable(env):
        raise UsageError(f"an environment is a class, a factory or an instance, not {env!r}")
    cls = _returned_class(env)
    if cls is None:
        cls = _class_of_one_built(env)
    return _checked(cls), env, False


def _checked(cls: type) -> type[AnyEnvironment]:
    if not (hasattr(cls, "reset") and hasattr(cls, "step")):
        raise UsageError(f"{cls.__name__} is not an environment: inherit openenv.Environment and write reset, step and state")
    missing: frozenset[str] = getattr(cls, "__abstractmethods__", frozenset())
    if missing:
        raise UsageError(f"{cls.__name__} cannot be built: it lacks {', '.join(sorted(missing))}")
    return cls


def _returned_class(factory: Callable[..., Any]) -> type | None:
    inner = factory.func if isinstance(factory, functools.partial) else factory
    if isinstance(inner, type):
        return inner
    try:
        annotation = get_type_hints(inner).get("return")
    except (NameError, TypeError):
        return None
    usable = isinstance(annotation, type) and annotation is not Environment and not inspect.isabstract(annotation)
    return annotation if usable else None


def _class_of_one_built(factory: Callable[[], Any]) -> type:
    try:
        probe = factory()
    except Exception as error:
        raise FactoryError(f"the factory {factory!r} failed: {type(error).__name__}: {error}") from error
    closed = probe.close() if hasattr(probe, "close") else None
    if inspect.iscoroutine(closed):
        closed.close()
    return type(probe)


def _models_of(cls: type[AnyEnvironment]) -> tuple[type | None, type | None, type]:
    """The action, observation and state that a class says are its own."""
    action, observation, state = models(cls, Environment)
    if issubclass(cls, MCPEnvironment):
        action, observation = action or CallToolAction, observation or CallToolObservation
    return action, observation, state or State


def _action_reader(action: type[Action], *, offers_tools: bool) -> Callable[[Any], Action]:
    """Return what reads an action; where there are tools, their two actions are known by their `type`."""
    read = Reader(action).read
    if not offers_tools:
        return read
    readers: dict[Any, Callable[[Any], Action]] = {
        "call_tool": Reader(CallToolAction).read,
        "list_tools": Reader(ListToolsAction).read,
    }

    def read_one(data: Any) -> Action:
        kind = data.get("type") if isinstance(data, dict) else None
        return (readers.get(kind, read) if isinstance(kind, str) else read)(data)

    return read_one


def _model(argument: str, model: Any, environment: type) -> type[Any]:
    if model is None:
        raise UsageError(
            f"{environment.__name__} does not say its models: inherit Environment[MyAction, MyObservation, MyState], "
            f"or give create_app {argument}"
        )
    if isinstance(model, type) and issubclass(model, BaseModel) and dataclasses.is_dataclass(model):
        raise UsageError(f"{model.__name__} is a pydantic model already: drop the @dataclass decorator above it")
    return model  # type: ignore[no-any-return]


def overrides(cls: type, method: str) -> bool:
    """Return whether a class has its own version of an `Environment` method."""
    return getattr(cls, method, None) not in (getattr(Environment, method), getattr(MCPEnvironment, method))


def runs_on_loop(cls: type[AnyEnvironment]) -> bool:
    """Return whether an environment waits for I/O and so is called on the event loop."""
    if any(inspect.iscoroutinefunction(getattr(cls, method, None)) for method in ("reset", "step")):
        return True
    return any(hasattr(cls, method) and overrides(cls, method) for method in ("reset_async", "step_async"))


def parameter_names(function: Callable[..., Any]) -> frozenset[str] | None:
    """Return the names that a method can be called with, or None where it takes any name."""
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return frozenset(p.name for p in parameters if p.kind in by_name and p.name != "self")


def load(name: str) -> Any:
    """Return the app at `module:attribute`.

    Raises:
        UsageError: the name is not of that form, there is no such module or attribute, its module does not load, or it is
            nothing to serve.
    """
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        raise UsageError(f"{name!r} does not name an app: write module:attribute, such as echo_env.server.app:app")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        hint = "is the environment installed with its [server] extra?"
        raise UsageError(f"cannot import {module_name}: {error}; {hint}") from error
    except OpenEnvError:
        raise
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = "" if isinstance(error, SyntaxError) else f" ({last.filename}, line {last.lineno})"
        raise UsageError(f"cannot import {module_name}: {type(error).__name__}: {error}{where}") from error
    app = getattr(module, attribute, None)
    if app is None:
        raise UsageError(f"{module_name} has no {attribute!r}")
    if not callable(app):
        raise UsageError(f"{name} is no app: it is {type(app).__name__}")
    return app
