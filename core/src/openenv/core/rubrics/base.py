"""`openenv.core.rubrics.base`: the class of rubrics."""

from ...contract.rubric import (
    Rubric,
)

__all__ = [
    "Rubric",
]
