"""`openenv.core.rubrics.containers`: rubrics made of others."""

from ...contract.rubric import (
    Rubric,
)
from ...rubrics import (
    Gate,
    RubricDict,
    RubricList,
    Sequential,
    WeightedSum,
)

__all__ = [
    "Gate",
    "Rubric",
    "RubricDict",
    "RubricList",
    "Sequential",
    "WeightedSum",
]
