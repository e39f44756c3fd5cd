"""Evaluations: written down, run with Inspect AI against a local model, and what goes wrong."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from model_server import Model, serving_model
from pydantic import ValidationError

from openenv.errors import MissingExtra
from openenv.evals import EvalConfig, EvalHarness, EvalResult, InspectAIHarness

HERE = Path(__file__).parent

CONFIG = EvalConfig(
    harness_name="Counting", harness_version="1", library_versions={"a": "2"}, dataset="words", eval_parameters={"n": 3}
)


class Counting(EvalHarness):
    def run(
        self, harness_version: str, library_versions: dict[str, str], dataset: str, eval_parameters: dict[str, Any]
    ) -> dict[str, Any]:
        return {"told": (harness_version, library_versions, dataset), "n": eval_parameters["n"]}


def test_a_config_is_run_and_kept_with_its_scores() -> None:
    assert Counting().name == CONFIG.harness_name
    result = Counting().run_from_config(CONFIG)
    assert result.scores == {"told": ("1", {"a": "2"}, "words"), "n": 3}
    plain = EvalResult(config=CONFIG, scores={"n": 3})
    assert EvalResult.model_validate_json(plain.model_dump_json()) == plain
    for wrong in ({"note": 1}, {"library_versions": {"a": 2}}):
        with pytest.raises(ValidationError):
            EvalConfig.model_validate({**CONFIG.model_dump(), **wrong})


def evaluate(folder: Path, *evaluations: dict[str, Any]) -> list[dict[str, Any]]:
    """Run `evaluating.py` in a folder that has the tasks; returns what it printed."""
    shutil.copy(HERE / "inspect_task.py", folder)
    command = [sys.executable, str(HERE / "evaluating.py"), json.dumps(evaluations)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_inspect_evaluates_a_model_behind_an_endpoint(tmp_path: Path) -> None:
    pytest.importorskip("inspect_ai")
    pytest.importorskip("openai")
    served = Model(say=lambda text: text.removeprefix("say "), failures=[400])
    with serving_model(served) as port:
        base = {"model_base_url": f"http://127.0.0.1:{port}/v1", "model_args": {"api_key": "k", "responses_api": False}}
        common = {"model": "openai/gpt-4o", "display": "none", "temperature": 0.5, "dataset": "inspect_task.py@saying", **base}
        more = {"task": "inspect_task.py@saying", "task_args": {"both": True}, "num_fewshot": 5, "limit": 2}
        refused, plain, both, all_tasks = evaluate(
            tmp_path,
            {**common, "limit": 1},
            {**common, "max_tokens": None},
            {**common, **more, "dataset": "a note"},
            {**common, "dataset": "inspect_task.py", "limit": 1},
        )
    assert refused["error"] == "RuntimeError"
    assert "the evaluation of saying ended with status error" in refused["message"]
    assert "400" in refused["message"]
    assert plain == {"scores": {"accuracy": pytest.approx(2 / 3), "stderr": pytest.approx(1 / 3)}, "warned": []}
    assert {request["temperature"] for request in served.requests} == {0.5}
    assert sorted(request["messages"][-1]["content"] for request in served.requests[1:4]) == ["say blue", "say red", "sing"]
    assert {both["scores"][name] for name in ("accuracy", "includes/accuracy", "match/accuracy")} == {1.0}
    assert both["warned"] == ["inspect_ai.eval does not take num_fewshot: left out"]
    assert {name for name in all_tasks["scores"] if name.endswith("accuracy")} == {
        "accuracy",
        "saying/openai/gpt-4o/accuracy",
        "silence/openai/gpt-4o/accuracy",
    }
    assert len(list((tmp_path / "logs").iterdir())) == 5


def test_an_evaluation_needs_a_model() -> None:
    pytest.importorskip("inspect_ai")
    with pytest.raises(ValueError, match="must include 'model'"):
        InspectAIHarness().run("0.3", {}, "x", {"model": None})


def test_a_missing_inspect_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "inspect_ai", None)
    with pytest.raises(MissingExtra, match=r"pip install 'openenv-core\[evals\]'"):
        InspectAIHarness().run("0.3", {}, "x", {"model": "m"})


def test_importing_evals_imports_no_framework() -> None:
    code = "import sys, openenv.evals; print('inspect_ai' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"
