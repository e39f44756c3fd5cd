"""Scores from a language model: what is asked, how the answer is read, and how sparingly."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from model_server import Model, serving_model
from scoring import Answer, Judged, Seen
from serving import running

from openenv import EnvClient, State
from openenv.errors import BudgetSpent, ExecutionError, ModelError, ModelUnavailable, UsageError
from openenv.llm import LLMClient, OpenAIClient
from openenv.rubrics import LLMJudge, RationedClient, WeightedSum
from openenv.server import create_app

TEMPLATE = 'Rate "{action.text}" after {observation.text!r} as {{"score": …}}'


class Scripted(LLMClient):
    """Answers from a list; an exception in it is raised. Keeps the prompts."""

    def __init__(self, *answers: Any, delay_s: float = 0.0) -> None:
        super().__init__("http://nowhere", None)
        self.answers = list(answers)
        self.prompts: list[str] = []
        self.delay_s = delay_s
        self.at_once = self.most_at_once = 0

    async def complete(self, prompt: str, **kwargs: Any) -> str:
        self.prompts.append(prompt)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.delay_s)
        finally:
            self.at_once -= 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        self.usage.output_tokens += 5
        return str(answer)


async def score(judge: LLMJudge, text: str = "hi") -> float:
    return float(await judge(Answer(text=text), Seen(text="seen")))


async def test_the_prompt_is_filled_in() -> None:
    client = Scripted("0.5")
    assert await score(LLMJudge(TEMPLATE, client)) == 0.5
    assert client.prompts == ['Rate "hi" after \'seen\' as {"score": …}']


@pytest.mark.parametrize(
    ("answer", "normalized", "plain"),
    [
        ("0.7", 0.7, 0.7),
        ("Score: 8/10", 1.0, 8.0),
        ("-0.5", 0.0, -0.5),
        (".25, I think", 0.25, 0.25),
        ("1e-1", 0.1, 0.1),
        ("none", 0.3, 0.3),
    ],
)
async def test_the_first_number_is_the_score(answer: str, normalized: float, plain: float) -> None:
    assert await score(LLMJudge("{action}", Scripted(answer), default_score=0.3)) == normalized
    assert await score(LLMJudge("{action}", Scripted(answer), default_score=0.3, normalize=False)) == plain


async def test_a_pattern_says_where_the_score_stands() -> None:
    judge = LLMJudge("{action}", Scripted("3 of 4: SCORE=0.75"), score_pattern=r"SCORE=([\d.]+)")
    assert await score(judge) == judge.last_score == 0.75
    strict = LLMJudge("{action}", Scripted("no idea"), default_score=None)
    with pytest.raises(ModelError, match="no score in the model's answer: 'no idea'"):
        await score(strict)
    strict.load_state_dict(judge.state_dict())
    assert strict.state_dict() == judge.state_dict()
    assert strict.default_score == 0.0


@pytest.mark.parametrize("template", ["{other}", 'give {"score": 1}', "{", "{action.text} {}"])
def test_a_template_that_cannot_be_filled_in_is_refused(template: str) -> None:
    with pytest.raises(UsageError, match="prompt template"):
        LLMJudge(template, Scripted("1"))


async def test_the_same_question_is_asked_once() -> None:
    client = Scripted("0.1", "0.2", "0.3", delay_s=0.01)
    judge = LLMJudge("{action.text}", client, cache_size=2)
    assert await asyncio.gather(*(score(judge, "a") for _ in range(5))) == [0.1] * 5
    assert [await score(judge, text) for text in ("b", "a", "b")] == [0.2, 0.1, 0.2]
    assert len(client.prompts) == 2
    assert [await score(judge, text) for text in ("c", "a")] == [0.3, 0.3]
    assert client.prompts == ["a", "b", "c", "a"]


async def test_who_waits_for_anothers_answer_is_not_cut_off_with_it() -> None:
    client = Scripted("0.5", delay_s=0.05)
    judge = LLMJudge("{action.text}", client, cache_size=2)
    first, second = asyncio.create_task(score(judge)), asyncio.create_task(score(judge))
    await asyncio.sleep(0.01)
    first.cancel()
    assert await second == 0.5
    assert len(client.prompts) == 2
    failing = LLMJudge("{action.text}", Scripted(ValueError("bad"), delay_s=0.01), cache_size=2)
    assert [type(found) for found in await asyncio.gather(score(failing), score(failing), return_exceptions=True)] == [
        ValueError
    ] * 2


def test_a_cap_and_a_budget_hold_over_threads() -> None:
    client = Scripted("1", delay_s=0.01)
    shared = RationedClient(client, max_concurrency=3, max_calls=20)
    scores: list[float] = []
    spent: list[BudgetSpent] = []

    async def many(name: int) -> None:
        judges = [LLMJudge(f"{name} {number} {{action}}", shared) for number in range(8)]
        for found in await asyncio.gather(*(score(judge) for judge in judges), return_exceptions=True):
            (spent if isinstance(found, BudgetSpent) else scores).append(found)  # type: ignore[arg-type]

    threads = [threading.Thread(target=lambda name=name: asyncio.run(many(name))) for name in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (scores, len(spent), shared.calls) == ([1.0] * 20, 4, 20)
    assert client.most_at_once == 3
    assert str(spent[0]) == "the budget of 20 calls is spent"


async def test_a_place_given_up_goes_to_the_next() -> None:
    client = Scripted("1", delay_s=0.02)
    judge = LLMJudge("{action}", client, max_concurrency=1)
    running, given_up, last = (asyncio.create_task(score(judge)) for _ in range(3))
    await asyncio.sleep(0.005)
    given_up.cancel()
    assert [await running, await last, await score(judge)] == [1.0] * 3
    assert client.most_at_once == 1


async def test_tokens_are_a_budget_too() -> None:
    judge = LLMJudge("{action}", Scripted("1"), max_tokens=10)
    assert [await score(judge), await score(judge)] == [1.0, 1.0]
    with pytest.raises(BudgetSpent, match="10 tokens"):
        await score(judge)


async def test_what_passes_is_tried_again_and_never_a_score() -> None:
    soon = ModelUnavailable("busy", retry_after_s=0.0)
    assert await score(LLMJudge("{action}", Scripted(soon, ConnectionResetError(), "0.5"))) == 0.5
    with pytest.raises(ModelUnavailable):
        await score(LLMJudge("{action}", Scripted(soon), max_attempts=2))
    refusing = Scripted(ModelError("no"), "1")
    with pytest.raises(ModelError, match="no"):
        await score(LLMJudge("{action}", refusing))
    assert len(refusing.prompts) == 1
    with pytest.raises(TimeoutError):
        await score(LLMJudge("{action}", Scripted("1", delay_s=1), timeout_s=0.01, max_attempts=1))


def test_limits_that_make_no_sense_are_refused() -> None:
    class Uncounted:
        async def complete(self, prompt: str) -> str:
            return ""

    with pytest.raises(UsageError, match="Uncounted has not"):
        RationedClient(Uncounted(), max_tokens=5)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="at least 1"):
        RationedClient(Scripted(""), max_concurrency=0)
    with pytest.raises(UsageError, match="has its own limits: give cache_size to it"):
        LLMJudge("{action}", RationedClient(Scripted("")), cache_size=5)


def test_an_environment_is_judged_by_a_model_behind_a_socket() -> None:
    pytest.importorskip("openai")

    class Client(EnvClient[Answer, Seen, State]):
        pass

    model = Model(say=lambda text: "0.5" if "politeness" in text else "1", delay_s=0.2, failures=[503], retry_after="0")
    with serving_model(model) as port:
        shared = RationedClient(OpenAIClient("http://127.0.0.1", port, "judge", max_retries=0), cache_size=64)

        class ByModel(Judged):
            def __init__(self) -> None:
                super().__init__()
                asked = [LLMJudge(f"Rate the {noun} of {{action.text}}", shared) for noun in ("politeness", "content")]
                self.rubric = WeightedSum(asked, [0.5, 0.5])

        with running(create_app(ByModel)) as url, Client(url).sync() as env:
            env.reset()
            result = env.step(Answer(text="a"))
            assert result.reward == 0.75
            assert result.metadata == {"rubric_scores": {"rubric_0": 0.5, "rubric_1": 1.0}}
            assert env.step(Answer(text="a")).reward == 0.75
            assert (shared.calls, len(model.requests), model.most_at_once) == (3, 3, 2)
            model.failures = [400] * 2
            with pytest.raises(ExecutionError, match="judge refused"):
                env.step(Answer(text="b"))
            assert env.step(Answer(text="c")).reward == 0.75
