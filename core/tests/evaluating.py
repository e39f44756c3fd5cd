"""Run as a program: evaluations with Inspect AI, given as JSON; prints a JSON list of scores, or errors in their place."""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any

from openenv.evals import EvalConfig, InspectAIHarness


def outcome(parameters: dict[str, Any]) -> dict[str, Any]:
    dataset = parameters.pop("dataset")
    config = EvalConfig(
        harness_name="InspectAIHarness", harness_version="0.3", library_versions={}, dataset=dataset, eval_parameters=parameters
    )
    with warnings.catch_warnings(record=True) as noticed:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", UserWarning)
        found: dict[str, Any] = {}
        try:
            found["scores"] = InspectAIHarness(log_dir="logs").run_from_config(config).scores
        except Exception as error:
            found |= {"error": type(error).__name__, "message": str(error)}
    told = [str(notice.message) for notice in noticed if str(notice.message).startswith("inspect_ai.eval")]
    return {**found, "warned": told}


if __name__ == "__main__":
    print(json.dumps([outcome(parameters) for parameters in json.loads(sys.argv[1])]))
