"""Between a client's models and the plain data of its messages."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Generic, cast

from pydantic import BaseModel
from typing_extensions import TypeVar

from ..contract.models import State
from ..contract.result import StepResult
from ..errors import UsageError
from ..wire.validation import Reader
from ..wire.values import ResultReader

ActT = TypeVar("ActT")
ObsT = TypeVar("ObsT")
StateT = TypeVar("StateT", default=State)


class Translation(Generic[ActT, ObsT, StateT]):
    """Makes what is sent of typed actions, and typed results of what arrives."""

    @classmethod
    @abstractmethod
    def _models(cls) -> tuple[type | None, ...]:
        """Return the classes of actions, observations and states that the client's class says; None for what it does not."""

    def _prepare(self) -> None:
        """Look up once what every call needs."""
        cls = type(self)
        action, observation, state = cls._models()
        self._custom_payload = cls._step_payload is not Translation._step_payload
        self._action_model = action
        self._result_reader: ResultReader[ObsT] | None = None if observation is None else ResultReader(observation)
        if state is None and observation is not None:
            state = State
        self._state_reader: Reader[StateT] | None = None if state is None else Reader(state, null_is_nan=True)
        hooks = {"_parse_result": observation, "_parse_state": state}
        for hook, model in hooks.items():
            if model is None and getattr(cls, hook) is getattr(Translation, hook):
                raise UsageError(
                    f"{cls.__name__} does not say its models: subclass EnvClient[MyAction, MyObservation, MyState], "
                    "or use GenericEnvClient for dicts"
                )

    def _payload(self, action: ActT) -> Any:
        if self._custom_payload:
            return self._step_payload(action)
        if isinstance(action, BaseModel | Mapping):
            return action
        expected = getattr(self._action_model, "__name__", "an action")
        raise UsageError(f"step takes {expected}, not {type(action).__name__}")

    def _payloads(self, actions: Sequence[ActT]) -> list[Any]:
        """As `_payload`, for many."""
        if self._custom_payload:
            return [self._step_payload(action) for action in actions]
        payload = self._payload
        return [action if isinstance(action, BaseModel) else payload(action) for action in actions]

    def _step_payload(self, action: ActT) -> dict[str, Any]:
        """Return an action as the plain data to send; a subclass may write its own."""
        if isinstance(action, BaseModel):
            return action.model_dump(mode="json")
        return dict(cast("Mapping[str, Any]", action))

    def _parse_result(self, payload: dict[str, Any]) -> StepResult[ObsT]:
        """Return the result that a reply's data stands for; a subclass may write its own."""
        assert self._result_reader is not None
        return self._result_reader.read(payload)

    def _parse_state(self, payload: dict[str, Any]) -> StateT:
        """Return the state that a reply's data stands for; a subclass may write its own."""
        assert self._state_reader is not None
        return self._state_reader.read(payload)
