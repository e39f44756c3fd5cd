"""Gymnasium's environments, served as this package's. Needs the `[gym]` extra."""

from __future__ import annotations

import base64
import io
import types
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from ..contract.environment import ActT, Environment, NoEpisodeError, ObsT
from ..contract.generics import models
from ..contract.models import State
from ..errors import MissingExtra

try:
    import gymnasium
    import numpy as np
    from PIL import Image
except ImportError as error:
    raise MissingExtra(f"{error}: Gymnasium's environments need `pip install 'openenv-core[gym]'`") from None

from .gymnasium_spaces import ACTION, OBSERVED, models_of, typed, typed_observation

GymnasiumEnv = gymnasium.Env[Any, Any]


class GymnasiumEnvironment(Environment[ActT, ObsT, State]):
    """An environment of Gymnasium behind `reset`, `step` and `state`.

    Inherit as `GymnasiumEnvironment[MyAction, MyObservation]`, with models that have the fields of `models_of`. What `info`
    holds of plain data is the observation's `metadata`.

    Args:
        env: the environment. Made with `render_mode` "rgb_array" or "ansi" it has a picture.
    """

    def __init__(self, env: GymnasiumEnv) -> None:
        super().__init__()
        self._env = env
        self._model: Any = models(type(self), Environment)[1]
        self._action = typed(env.action_space, "Action")
        self._observed = typed_observation(env.observation_space, "Observation")
        self._state = State()
        self._over = True

    def reset(self, seed: int | None = None, episode_id: str | None = None) -> ObsT:
        """Begin an episode.

        Args:
            seed: 0 or more; decides all that is random. None: a fresh one.
            episode_id: a name for the episode; None makes one up.

        Raises:
            ValueError: the seed is negative, which Gymnasium does not know. The episode so far goes on.
        """
        if seed is not None and seed < 0:
            raise ValueError(f"seed={seed}: Gymnasium's seeds are 0 or more")
        observed, info = self._env.reset(seed=seed)
        self._state = State(episode_id=uuid4().hex if episode_id is None else episode_id)
        self._over = False
        return self._seen(observed, info)

    def step(self, action: ActT, timeout_s: float | None = None) -> ObsT:
        """Do an action; `reward`, `terminated` and `truncated` are as Gymnasium gives them.

        Raises:
            ValueError: the action is not in the action space. The episode stands as it stood.
            NoEpisodeError: `reset` was not called, or the episode is over.
        """
        if self._over:
            raise NoEpisodeError("there is no episode to step in: call reset() first")
        chosen = self._action.to_gymnasium(getattr(action, ACTION))
        if not self._env.action_space.contains(chosen):
            raise ValueError(f"action {chosen!r:.100} is not in {self._env.action_space!r:.200}")
        observed, reward, terminated, truncated, info = self._env.step(chosen)
        self._state.step_count += 1
        self._over = bool(terminated or truncated)
        return self._seen(observed, info, reward=float(reward), terminated=bool(terminated), truncated=bool(truncated))

    @property
    def state(self) -> State:
        """The episode's name, and how many steps it has had."""
        return self._state.model_copy()

    def render(self) -> dict[str, str]:
        """Return what Gymnasium draws: "text/plain", and with `render_mode="rgb_array"` "image/png" in base64.

        Raises:
            NotImplementedError: the environment was made with neither of the two render modes.
            NoEpisodeError: nothing was reset yet.
        """
        if self._env.render_mode not in ("rgb_array", "ansi"):
            return super().render()
        if self._state.episode_id is None:
            raise NoEpisodeError("there is nothing to draw: call reset() first")
        drawn: Any = self._env.render()
        if self._env.render_mode == "ansi":
            return {"text/plain": str(drawn)}
        file = io.BytesIO()
        Image.fromarray(np.asarray(drawn, "uint8")).save(file, "PNG")
        return {"text/plain": self._caption(), "image/png": base64.b64encode(file.getvalue()).decode("ascii")}

    def close(self) -> None:
        """Close Gymnasium's environment."""
        self._env.close()

    def _caption(self) -> str:
        name = self._env.spec.id if self._env.spec else type(self._env.unwrapped).__name__
        return f"{name}, step {self._state.step_count}{', over' if self._over else ''}"

    def _seen(self, observed: Any, info: dict[str, Any], **given: Any) -> ObsT:
        if isinstance(self._observed, dict):
            fields = {key: field.from_gymnasium(observed[key]) for key, field in self._observed.items()}
        else:
            fields = {OBSERVED: self._observed.from_gymnasium(observed)}
        seen: ObsT = self._model(**fields, **given, metadata=_plain_entries(info))
        return seen


def environment_of(make: Callable[[], GymnasiumEnv], name: str | None = None) -> type[GymnasiumEnvironment[Any, Any]]:
    """Return an environment class for what `make` makes, with models made from its spaces: see `models_of`.

        CartPole = environment_of(lambda: gymnasium.make("CartPole-v1"))

    One is made, looked at and closed. With `isolation="process"` assign the class to a name of its module, and give that
    name here.

    Args:
        make: makes a Gymnasium environment, one a session.
        name: what the names of the class and its models begin with; None takes that of Gymnasium's class.

    Raises:
        UsageError: a space has no typed model.
    """
    looked_at = make()
    try:
        begin = name or type(looked_at.unwrapped).__name__
        action, observation = models_of(looked_at.action_space, looked_at.observation_space, begin)
    finally:
        looked_at.close()

    def build(self: GymnasiumEnvironment[Any, Any]) -> None:
        GymnasiumEnvironment.__init__(self, make())

    body = {
        "__doc__": f"{begin} of Gymnasium.",
        "__init__": build,
        "__module__": make.__module__,
        "SUPPORTS_CONCURRENT_SESSIONS": True,
    }
    base: Any = GymnasiumEnvironment
    bases = (base[action, observation],)
    return types.new_class(name or f"{begin}Environment", bases, exec_body=lambda namespace: namespace.update(body))


def sampled_actions(env: GymnasiumEnv, count: int = 40, seed: int = 0) -> list[dict[str, Any]]:
    """Return actions of an environment's action space as plain data, the same ones for the same seed."""
    action = typed(env.action_space, "Action")
    env.action_space.seed(seed)
    return [{ACTION: _plain(action.from_gymnasium(env.action_space.sample()))} for _ in range(count)]


_NOT_PLAIN = object()


def _plain_entries(info: dict[str, Any]) -> dict[str, Any]:
    found = {str(key): _plain(value) for key, value in info.items()}
    return {key: value for key, value in found.items() if value is not _NOT_PLAIN}


def _plain(value: Any) -> Any:
    """Return a value with NumPy's numbers and arrays as Python's; `_NOT_PLAIN` for what is no plain data."""
    if value is None or (isinstance(value, bool | int | float | str) and not isinstance(value, np.generic)):
        return value
    if isinstance(value, np.generic | np.ndarray):
        return _NOT_PLAIN if value.dtype.hasobject else value.tolist()
    if isinstance(value, dict):
        return _plain_entries(value)
    if isinstance(value, list | tuple):
        return [one for one in map(_plain, value) if one is not _NOT_PLAIN]
    return _NOT_PLAIN
