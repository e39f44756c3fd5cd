"""The coding environment, as its users meet it."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import pytest

from coding_env import CodeAction, CodeObservation, CodeTask, CodingEnv
from coding_env.policies import Policy, RandomPolicy, ReferencePolicy
from coding_env.samples import SOLUTIONS, TASKS
from coding_env.server.environment import CodingEnvironment
from coding_env.server.rewards import PassedTests, RanWithoutError, UnsafePattern
from openenv.contract.transforms import CompositeTransform
from openenv.errors import ExecutionError, InvalidActionError

EXECUTORS = ["cpython", "smolagents"]


@pytest.mark.parametrize("executor", EXECUTORS)
def test_what_one_step_defines_the_next_one_finds_and_a_reset_forgets(session: Any, executor: str) -> None:
    session.reset(executor=executor, episode_id="first")
    steps = [
        ("def double(n):\n    return 2 * n\nprint(2 + 2)", "4\n", 0),
        ("x = double(21)\nprint(x)", "42\n", 0),
        ("print('seen')\n1 / 0", "seen\n", 1),
        ("print(x)", "42\n", 0),
        ("x = ", "", 1),
    ]
    for code, stdout, exit_code in steps:
        observation = session.step(CodeAction(code=code)).observation
        assert (observation.stdout, observation.exit_code) == (stdout, exit_code)
        assert bool(observation.stderr) == bool(exit_code)
        assert session.state().last_exit_code == exit_code
    state = session.state()
    assert (state.episode_id, state.step_count, state.executor, state.context_lost) == ("first", 5, executor, False)
    session.reset()
    assert "x" in session.step(CodeAction(code="print(x)")).observation.stderr
    assert session.state().episode_id != "first"


@pytest.mark.parametrize(("told", "chosen"), [("cpython", "smolagents"), ("smolagents", "cpython")])
def test_a_reset_chooses_an_executor_for_its_episode(told: str, chosen: str) -> None:
    environment = CodingEnvironment(executor=told)
    try:
        for executor in (chosen, None, chosen, None):
            environment.reset(executor=executor)
            opened = environment.step(CodeAction(code="import os")).exit_code == 0
            played = executor or told
            assert (environment.state.executor, opened) == (played, played == "cpython")
    finally:
        environment.close()


def test_a_traceback_shows_the_agents_lines_and_no_path_of_the_server(session: Any) -> None:
    session.reset(executor="cpython")
    session.step(CodeAction(code="import json\ndef read(text):\n    return json.loads(text)"))
    told = session.step(CodeAction(code="\nread('{')")).observation.stderr
    assert "File \"<step 2>\", line 2, in <module>\n    read('{')" in told
    assert 'File "<step 1>", line 3, in read\n    return json.loads(text)' in told
    assert 'File "<python>/json/__init__.py"' in told
    assert told.endswith("(char 1)\n")
    chained = "try:\n    read('{')\nexcept ValueError as error:\n    raise RuntimeError('outer') from error"
    told += session.step(CodeAction(code=chained)).observation.stderr
    told += session.step(CodeAction(code="def f(:\n")).observation.stderr
    told += session.step(CodeAction(code="raise ExceptionGroup('both', [ValueError(1), KeyError(2)])")).observation.stderr
    assert "direct cause" in told
    assert 'File "<step 4>", line 1' in told
    thread = "import threading\nthread = threading.Thread(target=read, args=('{',))\nthread.start()\nthread.join()"
    told += (from_thread := session.step(CodeAction(code=thread)).observation.stderr)
    assert "JSONDecodeError" in from_thread
    for path in (sys.prefix, sys.base_prefix, "coding_env", "cell", "runner"):
        assert path not in told


def test_a_lost_context_is_said_and_the_next_step_starts_afresh(session: Any) -> None:
    session.reset(executor="cpython", task={"setup": "given = 5", "tests": [{"function": "f", "expected": 1}]})
    session.step(CodeAction(code="own = 1"))
    ended = session.step(CodeAction(code="print('so far', flush=True)\nwhile True: pass")).observation
    assert ended.exit_code == 124
    assert ended.stdout == "so far\n"
    assert ended.stderr.endswith("s of CPU time; its variables are lost, and the next code starts with none]\n")
    assert ended.metadata["limit"] == "cpu_time"
    assert session.state().context_lost
    after = session.step(CodeAction(code="print(given)\nprint(own)")).observation
    assert after.stdout == "5\n"
    assert "NameError: name 'own'" in after.stderr


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_seed_decides_what_is_random(executor: str) -> None:
    code = "import random\nprint([random.random() for _ in range(3)], {'a', 'b', 'c'})\nprint(random.choice('abc') + 1)"

    def episode(seed: int | None) -> str:
        environment = CodingEnvironment(executor=executor)
        try:
            environment.reset(seed=seed)
            return "".join(environment.step(CodeAction(code=code)).model_dump_json() for _ in range(3))
        finally:
            environment.close()

    assert episode(3) == episode(3)
    assert len({episode(3), episode(-3), episode(4), episode(None), episode(None)}) == 5


def test_what_is_refused_leaves_the_episode_as_it_is() -> None:
    environment = CodingEnvironment(executor="cpython", code_bytes=100)
    with pytest.raises(RuntimeError, match=r"call reset\(\) before step\(\)"):
        environment.step(CodeAction(code=""))
    environment.reset(episode_id="kept")
    environment.step(CodeAction(code="x = 1"))
    before = environment.state.model_copy()
    with pytest.raises(ValueError, match="the code has 101 bytes, and 100 are allowed"):
        environment.step(CodeAction(code="x" * 101))
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"executor": "pypy"}, "executor must be smolagents or cpython, not 'pypy'"),
        ({"task": {}}, "the task cannot be used: tests: Field required"),
        ({"task": {"tests": []}}, "tests: List should have at least 1 item"),
        ({"task": {"tests": [{"function": 3}]}}, "tests.0.call.function: Input should be a valid string"),
        ({"task": {"tests": [{"function": "f", "expected": 1, "raises": "E"}]}}, "not both"),
        ({"task": {"tests": [{"function": "f"}], "setup": "1 / 0"}}, "the setup of task 'task' fails: ZeroDivisionError"),
        ({"task": "sort a list"}, "the task cannot be used: task: Input should be"),
        ({"executor": "x" * 9999}, "executor must be smolagents or cpython, not 'xxx"),
        ({"task": {"tests": [{"kind": "x" * 9999}]}}, "the task cannot be used: tests.0: Input tag 'xxx"),
        ({"task": {"tests": [{"function": "f"}], "max_steps": True}}, "max_steps: Input should be a valid integer"),
        ({"task": {"tests": [{"function": "f", "tolerance": "1"}]}}, "tolerance: Input should be a valid number"),
        ({"task": {"tests": [{"function": "f", "expected": object()}]}}, "tests.0: a object is no plain data"),
        ({"task": {"tests": [{"function": "f", "args": [{1}]}]}}, "tests.0: Object of type set is not JSON serializable"),
        ({"task": {"tests": [{"function": "f", "expected": 1, "unordered": True}]}}, "only a list can be `unordered`"),
    ]
    for options, message in wrong:
        with pytest.raises(ValueError, match=message) as caught:
            environment.reset(**options)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 300
    assert environment.state == before
    assert environment.step(CodeAction(code="print(x)")).stdout == "1\n"
    assert environment.step(CodeAction(code="\ud800")).exit_code == 1
    environment.close()


def test_a_client_is_told_what_is_wrong(session: Any) -> None:
    session.reset(executor="cpython", task={"tests": [{"function": "f", "expected": 1}], "max_steps": 1})
    with pytest.raises(InvalidActionError, match="code"):
        session.step({"code": 3})
    session.step(CodeAction(code="def f(): return 1"))
    with pytest.raises(ExecutionError, match="over"):
        session.step(CodeAction(code="def f(): return 1"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"wall_time_s": 0}, "wall_time_s must be at least 0.01, and finite, not 0"),
        ({"wall_time_s": float("inf")}, "wall_time_s must be at least 0.01, and finite, not inf"),
        ({"memory_mb": True}, "memory_mb must be a whole number, not True"),
        ({"threads": 2.0}, "threads must be a whole number, not 2.0"),
        ({"allowed_imports": ["json"]}, r"allowed_imports must be text, not \['json'\]"),
        ({"memory_mb": 1}, "memory_mb must be at least 16"),
        ({"protection": "some"}, "protection must be available or full"),
        ({"colour": 1}, "no such option: 'colour'; there are: executor, "),
    ],
)
def test_an_option_that_cannot_be_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CodingEnvironment(**options)


def test_environment_variables_set_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODING_EXECUTOR", "cpython")
    monkeypatch.setenv("CODING_OUTPUT_BYTES", "10")
    environment = CodingEnvironment()
    environment.reset()
    seen = environment.step(CodeAction(code="print('x' * 30)"))
    assert seen.stdout == "x" * 10 + "\n[… 21 more bytes were written; 10 are kept]\n"
    environment.close()
    monkeypatch.setenv("CODING_MEMORY_MB", "much")
    with pytest.raises(ValueError, match="CODING_MEMORY_MB='much' is not a whole number"):
        CodingEnvironment()


@pytest.mark.parametrize("executor", EXECUTORS)
def test_imports_are_those_allowed(executor: str) -> None:
    environment = CodingEnvironment(executor=executor, allowed_imports="json, xml.dom, math")
    environment.reset()
    for code, allowed in (
        ("import json\nprint(json.dumps(1))", True),
        ("from math import sqrt", True),
        ("import xml.dom", True),
        ("import os", False),
        ("import csv", False),
        ("from csv import reader", False),
    ):
        seen = environment.step(CodeAction(code=code))
        assert (seen.exit_code == 0) == allowed, (code, seen)
        assert allowed or "not allowed" in seen.stderr
    environment.close()


def test_smolagents_needs_its_imports_installed() -> None:
    environment = CodingEnvironment(executor="smolagents", allowed_imports="no_such_module")
    with pytest.raises(ValueError, match="no_such_module"):
        environment.reset()


def test_walls_stand_under_smolagents_whose_rules_are_wide_open() -> None:
    environment = CodingEnvironment(executor="smolagents", allowed_imports="*")
    environment.reset()
    for code in (
        "import pathlib\nprint(pathlib.Path('/etc/passwd').read_text())",
        "import socket\nprint(socket.socket())",
        "import subprocess\nprint(subprocess.run(['id']))",
        "import os\nprint(os.listdir('/'))",
    ):
        seen = environment.step(CodeAction(code=code))
        assert "PermissionError" in seen.stderr, seen
        assert not seen.stdout
    environment.close()


def test_what_is_enforced_is_said() -> None:
    environment = CodingEnvironment(executor="cpython")
    protection = environment.reset().metadata["protection"]
    assert protection == environment.state.protection
    assert {"files", "system_calls", "user"} <= protection["enforced"].keys()
    described = environment.get_metadata().description
    assert all(missing in described for missing in protection["missing"])
    environment.close()


def test_rewards_compose() -> None:
    rewards = CompositeTransform([RanWithoutError(0.5, -0.5, with_tests=True), PassedTests(2.0), UnsafePattern(-0.25)])
    environment = CodingEnvironment(rewards, executor="cpython")
    environment.reset()
    assert environment.step(CodeAction(code="1")).reward == 0.5
    assert environment.step(CodeAction(code="1/0")).reward == -0.5
    seen = environment.step(CodeAction(code="import os"))
    assert seen.reward == 0.25
    assert seen.metadata["rewards"] == {"ran_without_error": 0.5, "unsafe_pattern": -0.25}
    environment.reset(task={"tests": [{"function": "f", "expected": 1}]})
    assert environment.step(CodeAction(code="def f(): return 1")).reward == 2.5
    environment.close()


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import os", "os"),
        ("import math, os.path as p", "os"),
        ("if 1: import sys", "sys"),
        ("from subprocess import run", "subprocess"),
        ("x = 1; import ctypes", "ctypes"),
        ("().__class__", "__class__"),
        ("eval('1')", "eval"),
        ("from math import sin\nos = 3\nprint(os, 'eval')  # exec", None),
        ("def f(system):\n    return system.imports", None),
        ("(" * 100_000, None),
        ("import math, \\\n  os", "os"),
        ("from importlib import reload", "importlib"),
        ("from math import sin, os", None),
        ("return'eval'", None),
        ("'''a\neval\n'''", None),
        ("x = 'eval\neval", "eval"),
        ("r'\\\\' + eval('1')", "eval"),
        ("r'\\' + eval('1')", None),
        ("f'eval {eval(1)}'", "eval"),
        ("f'eval {{eval}} {d[\"eval\"]}'", None),
        ("\uff45\uff56\uff41\uff4c('1')", "eval"),
        pytest.param("# eval\n" + "'\\'" * 300_000, None, id="open text"),
        pytest.param("# eval\n" + "a;" * 450_000, None, id="many statements"),
        pytest.param("# eval\n" + "f'{" * 300_000, None, id="fields in fields"),
        pytest.param("# eval\n" + "\u0301\u0323" * 450_000, None, id="one long name"),
    ],
)
def test_unsafe_patterns(code: str, found: str | None) -> None:
    assert UnsafePattern().found(code) == found


def played(policy: Policy, executor: str, task: CodeTask) -> tuple[float, CodeObservation]:
    environment = CodingEnvironment(executor=executor)
    observation = environment.reset(seed=0, task=task)
    policy.begin(observation)
    total = 0.0
    while not observation.done:
        observation = environment.step(policy.select_action(observation))
        total += float(observation.reward or 0.0)
    environment.close()
    return total, observation


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_the_known_solution_gets_all_and_at_once(executor: str, task: CodeTask) -> None:
    assert set(SOLUTIONS) == {each.name for each in TASKS}
    total, last = played(ReferencePolicy(), executor, task)
    assert total == pytest.approx(1.0)
    assert last.terminated


def test_chance_gets_less_and_the_same_for_the_same_seed() -> None:
    totals = [[played(RandomPolicy(seed), "cpython", task)[0] for task in TASKS[:2]] for seed in (1, 1)]
    assert totals[0] == totals[1]
    assert sum(totals[0]) < 2


def test_render_shows_the_last_step() -> None:
    environment = CodingEnvironment(executor="cpython")
    environment.reset()
    assert environment.render() == {"text/plain": "cpython: no code has run yet"}
    environment.step(CodeAction(code="for n in range(2):\n    print(n)"))
    assert environment.render() == {"text/plain": ">>> for n in range(2):\n...     print(n)\n0\n1\n[step 1, exit code 0]"}
    environment.close()


def test_sessions_do_not_touch(server: str) -> None:
    problems: list[str] = []

    def play(number: int) -> None:
        with CodingEnv(base_url=server).sync() as env:
            env.reset(executor=EXECUTORS[number % 2])
            env.step(CodeAction(code=f"x = {number}"))
            for _ in range(5):
                seen = env.step(CodeAction(code="x = x + 100\nprint(x)")).observation
            if seen.stdout != f"{number + 500}\n":
                problems.append(f"{number}: {seen}")

    threads = [threading.Thread(target=play, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_importing_the_client_brings_no_server() -> None:
    heavy = "('fastapi', 'uvicorn', 'smolagents', 'coding_env.server')"
    code = f"import sys, coding_env, coding_env.policies; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
