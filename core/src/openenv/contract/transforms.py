"""Changes to an observation on its way out of an environment."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar

from .models import Observation

ObsT = TypeVar("ObsT", bound=Observation)


class Transform(ABC, Generic[ObsT]):
    """A function from observation to observation: adds a reward, hides a field, writes metadata."""

    @abstractmethod
    def __call__(self, observation: ObsT) -> ObsT:
        """Return the observation to send; the given one may be changed in place."""


class NullTransform(Transform[ObsT]):
    """Leaves every observation as it is."""

    def __call__(self, observation: ObsT) -> ObsT:
        return observation


class CompositeTransform(Transform[ObsT]):
    """Applies several transforms, first to last."""

    def __init__(self, transforms: Sequence[Transform[ObsT]]) -> None:
        self.transforms = list(transforms)

    def __call__(self, observation: ObsT) -> ObsT:
        for transform in self.transforms:
            observation = transform(observation)
        return observation
