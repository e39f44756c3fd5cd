"""What was evaluated, and what came of it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class EvalConfig(BaseModel):
    """Everything that decides an evaluation, as plain data."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    harness_name: str = Field(description="Class of the harness, such as InspectAIHarness")
    harness_version: str = Field(description="Version of the evaluation framework")
    library_versions: dict[str, str] = Field(description="Versions of further libraries, by name")
    dataset: str = Field(description="What is evaluated on, in the harness's own terms")
    eval_parameters: dict[str, Any] = Field(description="The rest, in the harness's own terms")


class EvalResult(BaseModel):
    """An evaluation and its scores."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    config: EvalConfig
    scores: dict[str, Any] = Field(description="Values by the names of the metrics")
