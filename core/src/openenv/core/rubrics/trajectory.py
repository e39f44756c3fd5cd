"""`openenv.core.rubrics.trajectory`: rubrics that score whole episodes."""

from ...contract.rubric import (
    Rubric,
)
from ...rubrics import (
    ExponentialDiscountingTrajectoryRubric,
    TrajectoryRubric,
)

__all__ = [
    "ExponentialDiscountingTrajectoryRubric",
    "Rubric",
    "TrajectoryRubric",
]
