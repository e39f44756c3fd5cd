"""Grades: honest work gets what it earned, and no trick gets more."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from coding_env import CodeAction
from coding_env.server.comparison import equal
from coding_env.server.environment import CodingEnvironment

CHEATS = {
    "equal_to_everything": "class Any:\n    def __eq__(self, other):\n        return True\ndef double(n):\n    return Any()",
    "number_equal_to_everything": (
        "class Any(int):\n    __hash__ = int.__hash__\n    def __eq__(self, other):\n        return True\n"
        "def double(n):\n    return Any(3)"
    ),
    "list_equal_to_everything": (
        "class Any(list):\n    def __eq__(self, other):\n        return True\ndef double(n):\n    return Any()"
    ),
    "expectation_in_a_frame": (
        "import sys\ndef double(n):\n    frame = sys._getframe(1)\n    while frame:\n"
        "        for held in (frame.f_locals, frame.f_globals):\n"
        "            if 'expected' in held:\n                return held['expected']\n        frame = frame.f_back"
    ),
    "expectation_in_memory": (
        "import gc\ndef double(n):\n    for held in gc.get_objects():\n"
        "        if isinstance(held, dict) and 'expected' in held:\n            return held['expected']"
    ),
    "patched_main": "import sys\nsys.modules['__main__'].check = lambda *_: True\ndef double(n):\n    return None",
    "patched_grader": "import builtins\nbuiltins.all = lambda given: True\ndef double(n):\n    return 3",
    "patched_comparison": (
        "import sys\ndef double(n):\n    sys.modules['__main__'].check = lambda found, expected: True\n    return None"
    ),
    "exit_with_success": "import os\ndouble = lambda n: (print('PASSED', flush=True), os._exit(0))",
    "exit_at_once": "import os\nprint('PASSED', flush=True)\nos._exit(0)",
    "verdict_printed_at_exit": "import atexit\natexit.register(lambda: print('PASSED'))\ndef double(n):\n    raise SystemExit",
    "changed_expectation": "import sys\ndef double(n):\n    sys._getframe(1).f_globals['expected'] = 3\n    return 3",
}

NAIVE_GRADER = """
import sys
def check(found, expected):
    return found == expected
source = sys.stdin.read()
expected = 8
space = {"__name__": "submission"}
exec(source, space)
found = space["double"](4)
if all([check(found, expected)]):
    print("PASSED")
"""
"""Grades where the code runs, as one must not."""


@pytest.mark.parametrize("cheat", CHEATS)
def test_a_cheat_that_fools_a_grader_in_its_own_process_fools_nobody_here(attack: Any, cheat: str) -> None:
    naive = subprocess.run(
        [sys.executable, "-c", NAIVE_GRADER], input=CHEATS[cheat], capture_output=True, text=True, timeout=30
    )
    assert "PASSED" in naive.stdout, "the cheat fools nobody at all"
    attack("cpython", CHEATS[cheat])


FORGERIES = {
    "every_answer_in_advance": (
        "import json, os\ndef double(n):\n    for value in (8, 'abab'):\n"
        "        body = json.dumps({'value': value, 'id': 'x'}).encode()\n"
        "        os.write(3, len(body).to_bytes(4, 'big') + body)\n    os._exit(0)"
    ),
    "answer_with_the_right_number": (
        "import gc, json, os\ndef double(n):\n    for held in gc.get_objects():\n"
        "        if isinstance(held, dict) and held.get('do') == 'call':\n"
        "            body = json.dumps({'value': True, 'passed': True, 'expected': True, 'id': held['id']}).encode()\n"
        "            os.write(3, len(body).to_bytes(4, 'big') + body)\n    os._exit(0)"
    ),
    "odd_answer": "import os\ndef double(n):\n    os.write(3, b'\\x00\\x00\\x00\\x04null')",
    "patched_frames": (
        "import sys\nfor name, module in list(sys.modules.items()):\n    if name.startswith('cell'):\n"
        "        for attribute in dir(module):\n            if not attribute.startswith('__'):\n"
        "                setattr(module, attribute, lambda *a, **k: True)\ndef double(n):\n    return 1"
    ),
    "inputs_kept_for_later": "def double(n):\n    open('inputs', 'a').write(f'INPUT {n}')\nprint(open('inputs').read())",
    "inputs_printed": "def double(n):\n    print('INPUT', n)",
    "inputs_raised": "def double(n):\n    raise ValueError(f'INPUT {n}')",
}


def test_who_breaks_what_makes_values_plain_breaks_only_that(attack: Any) -> None:
    lie = "sys.modules['cell.plain'].plain = sys.modules['cell.runner'].plain = lambda *_: {'list': True, 'dict': 3}"
    attack("cpython", f"import sys\n{lie}\ndef double(n):\n    return 1", recovers=False)
    attack("cpython", "pass")


@pytest.mark.parametrize("forgery", FORGERIES)
def test_the_channel_of_verdicts_cannot_be_forged(attack: Any, forgery: str) -> None:
    seen = attack("cpython", FORGERIES[forgery])
    assert "INPUT" not in seen.stdout + seen.stderr
    assert "abab" not in seen.stdout


def test_what_the_tests_give_is_not_seen_in_the_next_step(session: Any) -> None:
    task = {"tests": [{"function": "f", "args": ["hidden"], "expected": 1}]}
    session.reset(executor="cpython", task=task)
    session.step(CodeAction(code="seen = []\ndef f(x):\n    seen.append(x); open('kept', 'w').write(x)"))
    after = session.step(CodeAction(code="import os; print(seen, os.listdir('.'))")).observation
    assert after.stdout == "[] []\n"
    assert "hidden" not in session.state().model_dump_json()


def call(*args: Any, **expecting: Any) -> dict[str, Any]:
    return {"function": "f", "args": list(args), **expecting}


GRADED = [
    ("def f(x):\n    return x * 2", [call(2, expected=4)], 1.0),
    ("def f(x):\n    return x", [call(2, expected=4), call(0, expected=0)], 0.5),
    ("def f():\n    return (1, {2: 'a'}, [3])", [call(expected=[1, {"2": "a"}, [3]])], 1.0),
    ("def f():\n    return {1, 2}", [call(expected=[1, 2]), call(expected=[2, 1], unordered=True)], 0.5),
    ("def f():\n    raise KeyError", [call(raises="LookupError"), call(raises="ValueError")], 0.5),
    ("class ValueError(Exception): ...\ndef f():\n    raise ValueError", [call(raises="ValueError")], 0.0),
    ("class Full(ValueError): ...\ndef f():\n    raise Full", [call(raises="Full"), call(raises="ValueError")], 1.0),
    ("def f():\n    open('none')", [call(raises="IOError"), call(raises="object")], 0.5),
    ("def f():\n    return 0.1 + 0.2", [call(expected=0.3, tolerance=1e-9), call(expected=0.3)], 0.5),
    ("def f():\n    return True", [call(expected=1)], 0.0),
    ("def f():\n    return object()", [call(expected=None)], 0.0),
    ("import os\ndef f(x):\n    return os._exit(0) if x else 1", [call(n, expected=1) for n in (0, 1, 0)], 2 / 3),
    ("n = int(input())\nprint(n * n)", [{"stdin": n, "stdout": told} for n, told in (("5", "25\n"), ("x", ""))], 0.5),
    ("import os\nos._exit(0)", [{"stdin": "", "stdout": "25"}], 0.0),
    ("def f():\n    while True: pass", [call(expected=1), call(expected=1)], 0.0),
]


@pytest.mark.parametrize(("code", "tests", "reward"), GRADED)
def test_each_test_that_passes_counts_the_same(session: Any, code: str, tests: list[dict[str, Any]], reward: float) -> None:
    session.reset(executor="cpython", task={"tests": tests})
    result = session.step(CodeAction(code=code))
    penalty = result.observation.metadata["rewards"].get("unsafe_pattern", 0.0)
    assert result.reward == pytest.approx(reward + penalty)
    assert result.done == (reward == 1.0)


def test_rewards_of_an_episode_add_up_and_it_ends(session: Any) -> None:
    tests = [{"function": "f", "args": [n], "expected": n} for n in range(4)]
    session.reset(executor="smolagents", task={"tests": tests, "max_steps": 4, "setup": "base = 0"})
    codes = (
        "def f(x):\n    return base",
        "def f(x):\n    return x if x < 3 else 9",
        "def f(x):\n    return 0",
        "def f(x):\n    return x + base",
    )
    results = [session.step(CodeAction(code=code)) for code in codes]
    assert [result.reward for result in results] == [0.25, 0.5, 0.0, 0.25]
    assert [result.done for result in results] == [False, False, False, True]
    assert (session.state().tests_passed, session.state().tests_total) == (4, 4)
    session.reset(task={"tests": tests, "max_steps": 1})
    last = session.step(CodeAction(code="pass"))
    assert last.truncated
    assert not last.terminated


def test_a_failing_machine_is_no_grade(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = CodingEnvironment(executor="cpython")
    environment.reset(task={"tests": [{"function": "f", "expected": 1}]})
    monkeypatch.setattr("coding_env.server.grader.Interpreter", lambda *_: (_ for _ in ()).throw(RuntimeError("no room")))
    with pytest.raises(RuntimeError, match="no room"):
        environment.step(CodeAction(code="def f():\n    return 1"))
    assert environment.state.tests_passed == 0
    environment.close()


@pytest.mark.parametrize(
    ("expected", "found", "same"),
    [
        (1, 1.0, True),
        (1, True, False),
        (float("nan"), float("nan"), True),
        ([1, 2], {"set": [1, 2]}, False),
        ({1, 2}, {"set": [2, 1]}, True),
        ({1, 2}, {"list": [1, 2]}, False),
        ({(1, 2), (1,), "a", None}, {"set": [None, {"list": [1]}, "a", {"list": [1, 2]}]}, True),
        ({(1, 2)}, {"set": [{"list": [2, 1]}]}, False),
        ({"a": [1]}, {"dict": [["a", {"list": [1]}]]}, True),
        ({"a": 1}, {"dict": [["a", 1], ["a", 1]]}, False),
        ({"a": 1}, {"dict": [["a"]]}, False),
        ([1], {"list": [1], "dict": []}, False),
        ([], {"unknown": []}, False),
        (10**400, 1.0, False),
        ("1", 1, False),
        (None, None, True),
        (None, False, False),
        ({}, {}, False),
    ],
)
def test_plain_values_compare(expected: Any, found: Any, same: bool) -> None:
    assert equal(expected, found, 1e-9 if expected == 10**400 else 0.0) is same


@pytest.mark.parametrize(
    ("expected", "found", "same"),
    [
        ([2, 1, 1], {"list": [1, 2, 1]}, True),
        ([2, 1, 1], {"list": [1, 2, 2]}, False),
        ([1, 2], {"set": [2, 1]}, True),
        ([[1, 2], [3]], {"list": [{"list": [3]}, {"list": [1, 2]}]}, True),
        ([[1, 2]], {"list": [{"list": [2, 1]}]}, False),
        ([0.3, 5, "a"], {"list": ["a", 5, 0.1 + 0.2]}, True),
        ([1], {"dict": [[1, 1]]}, False),
        ([1], {"list": 1}, False),
        ([1, 2], {"list": [{"odd": 1}, [[]]]}, False),
    ],
)
def test_values_compare_in_any_order(expected: Any, found: Any, same: bool) -> None:
    assert equal(expected, found, 1e-9, unordered=True) is same


MODULUS = 2**61 - 1
"""All its multiples have the same hash (`sys.hash_info`)."""
MANY = 100_000


@pytest.mark.parametrize(
    "found",
    [
        [n + 0.5 for n in range(MANY)],
        [n * MODULUS for n in range(1, MANY + 1)],
        ["x" * 20 + str(n) for n in range(MANY)],
        [{"list": [n]} for n in range(MANY)],
        [[[]]] * MANY,
    ],
    ids=["numbers", "same hash", "text", "lists", "malformed"],
)
def test_no_answer_holds_the_grader_up(found: list[Any]) -> None:
    wanted = list(range(MANY))
    assert equal(wanted, {"set": wanted[::-1]}, unordered=True)
    assert not equal(wanted, {"set": found}, unordered=True)
    assert not equal(set(wanted), {"set": found}, 1e-9)
    deep: Any = 1
    for _ in range(900):
        deep = {"set": [deep]}
    assert not equal({((1,),)}, {"set": [deep]})
