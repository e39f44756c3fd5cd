"""Evaluations with Inspect AI."""

from __future__ import annotations

import importlib
import inspect
import warnings
from typing import Any, get_type_hints

from ..errors import MissingExtra
from .harness import EvalHarness


class InspectAIHarness(EvalHarness):
    """Runs tasks of Inspect AI (https://inspect.aisi.org.uk); needs the extra `evals`.

    `eval_parameters` are what `inspect_ai.eval` takes: `model` (required), `task_args`, `limit`, `epochs`, `temperature` …, and
    `task`, which is `dataset` where it is not given: `file.py@name`, or the name of a registered task. What is None is left
    out; what `inspect_ai.eval` does not know is left out with a warning. Run it where no event loop runs.

    Args:
        log_dir: where Inspect writes its logs. None leaves it to Inspect (`INSPECT_LOG_DIR`, else `./logs`).
    """

    def __init__(self, *, log_dir: str | None = None) -> None:
        self.log_dir = log_dir

    def run(
        self,
        harness_version: str,
        library_versions: dict[str, str],
        dataset: str,
        eval_parameters: dict[str, Any],
    ) -> dict[str, Any]:
        """Run a task with a model and return its metrics: `{"accuracy": 0.5, "stderr": 0.1}`.

        Where several scorers give a metric of one name, that name has the last one's value, and `scorer/metric` each one's.
        Of several tasks or models the plain names are the first one's, and `task/model/metric` each one's.

        Raises:
            MissingExtra: Inspect AI is not installed.
            ValueError: `eval_parameters` has no `model`.
            RuntimeError: an evaluation did not succeed; the message is Inspect's.
        """
        try:
            inspect_ai = importlib.import_module("inspect_ai")
        except ImportError as error:
            raise MissingExtra("this needs the inspect-ai package: pip install 'openenv-core[evals]'") from error
        given = {name: value for name, value in eval_parameters.items() if value is not None}
        if "model" not in given:
            raise ValueError("eval_parameters must include 'model', such as 'openai/gpt-4o'")
        task = given.pop("task", dataset)
        if self.log_dir is not None:
            given["log_dir"] = self.log_dir
        if unknown := sorted(given.keys() - _taken(inspect_ai)):
            warnings.warn(f"inspect_ai.eval does not take {', '.join(unknown)}: left out", UserWarning, stacklevel=2)
        return _scores(inspect_ai.eval(task, **{name: value for name, value in given.items() if name not in unknown}))


def _taken(inspect_ai: Any) -> set[str]:
    """The names that `inspect_ai.eval` takes, those of the model's configuration included."""
    parameters = inspect.signature(inspect_ai.eval).parameters
    named = {name for name, parameter in parameters.items() if parameter.kind is not parameter.VAR_KEYWORD}
    generation = importlib.import_module("inspect_ai.model").GenerateConfigArgs
    return (named - {"tasks"}) | get_type_hints(generation).keys()


def _scores(logs: list[Any]) -> dict[str, Any]:
    if not logs:
        raise RuntimeError("Inspect AI gave no log: there is no such task")
    for log in logs:
        if log.status != "success":
            why = f": {log.error.message}" if log.error is not None else ""
            raise RuntimeError(f"the evaluation of {log.eval.task} ended with status {log.status}{why}")
    scores = _of_one(logs[0])
    for log in logs if len(logs) > 1 else ():
        scores |= {f"{log.eval.task}/{log.eval.model}/{name}": value for name, value in _of_one(log).items()}
    return scores


def _of_one(log: Any) -> dict[str, Any]:
    parts = [] if log.results is None else log.results.scores
    given = [(part.name, name, metric.value) for part in parts for name, metric in part.metrics.items()]
    names = [name for _, name, _ in given]
    several = {f"{scorer}/{name}": value for scorer, name, value in given if names.count(name) > 1}
    return {**{name: value for _, name, value in given}, **several}
