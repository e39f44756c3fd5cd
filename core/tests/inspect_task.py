"""A task for Inspect AI: does a model say what it is asked to say?"""

from __future__ import annotations

from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import includes, match
from inspect_ai.solver import generate

SAMPLES = [Sample(input="say red", target="red"), Sample(input="say blue", target="blue"), Sample(input="sing", target="la")]


@task
def saying(both: bool = False) -> Task:
    scorer = [includes(), match(location="begin")] if both else includes()
    return Task(dataset=SAMPLES, solver=generate(), scorer=scorer)


@task
def silence() -> Task:
    return Task(dataset=SAMPLES[:1], solver=generate(), scorer=includes())
