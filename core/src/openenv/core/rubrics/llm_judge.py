"""`openenv.core.rubrics.llm_judge`: language models as judges."""

from ...contract.rubric import (
    Rubric,
)
from ...llm import (
    LLMClient,
)
from ...rubrics import (
    LLMJudge,
)

__all__ = [
    "LLMClient",
    "LLMJudge",
    "Rubric",
]
