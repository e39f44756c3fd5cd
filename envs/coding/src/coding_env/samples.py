"""A few tasks to begin with, each with a solution that passes every test."""

from __future__ import annotations

from .tasks import CallTest, CodeTask, ProgramTest

TASKS = (
    CodeTask(
        name="double",
        prompt="Write double(n), which returns twice the number n.",
        tests=[CallTest(function="double", args=[n], expected=2 * n) for n in (0, 1, -7, 2.5, 10**12)],
    ),
    CodeTask(
        name="fizz_buzz",
        prompt="Write fizz_buzz(n): 'fizz' where 3 divides n, 'buzz' where 5 does, 'fizzbuzz' where both do, else n as text.",
        tests=[
            CallTest(function="fizz_buzz", args=[n], expected=told)
            for n, told in ((1, "1"), (3, "fizz"), (10, "buzz"), (30, "fizzbuzz"), (98, "98"))
        ],
    ),
    CodeTask(
        name="roman",
        prompt="Write roman(n), which returns n, from 1 to 3999, as a Roman numeral, and raises ValueError for other numbers.",
        tests=[
            *(
                CallTest(function="roman", args=[n], expected=told)
                for n, told in ((1, "I"), (4, "IV"), (49, "XLIX"), (944, "CMXLIV"), (3999, "MMMCMXCIX"))
            ),
            CallTest(function="roman", args=[0], raises="ValueError"),
            CallTest(function="roman", args=[4000], raises="ValueError"),
        ],
    ),
    CodeTask(
        name="anagrams",
        prompt="Write anagrams(words), which returns the groups of words made of the same letters, each group and all sorted.",
        tests=[
            CallTest(
                function="anagrams",
                args=[["tea", "tan", "eat", "nat", "bat"]],
                expected=[["bat"], ["eat", "tea"], ["nat", "tan"]],
            ),
            CallTest(function="anagrams", args=[[]], expected=[]),
            CallTest(function="anagrams", args=[["a", "a"]], expected=[["a", "a"]]),
        ],
    ),
    CodeTask(
        name="sum_of_lines",
        prompt="Write a program that reads a count and then that many numbers, one a line, and prints their sum.",
        tests=[
            ProgramTest(stdin="3\n1\n2\n3\n", stdout="6"),
            ProgramTest(stdin="0\n", stdout="0"),
            ProgramTest(stdin="1\n-5", stdout="-5"),
        ],
    ),
)

SOLUTIONS = {
    "double": "def double(n):\n    return 2 * n\n",
    "fizz_buzz": (
        "def fizz_buzz(n):\n"
        "    told = ('fizz' if n % 3 == 0 else '') + ('buzz' if n % 5 == 0 else '')\n"
        "    return told or str(n)\n"
    ),
    "roman": (
        "def roman(n):\n"
        "    if not 1 <= n <= 3999:\n"
        "        raise ValueError('from 1 to 3999')\n"
        "    values = [(1000, 'M'), (900, 'CM'), (500, 'D'), (400, 'CD'), (100, 'C'), (90, 'XC'), (50, 'L'), (40, 'XL'),\n"
        "              (10, 'X'), (9, 'IX'), (5, 'V'), (4, 'IV'), (1, 'I')]\n"
        "    told = ''\n"
        "    for value, letters in values:\n"
        "        told += letters * (n // value)\n"
        "        n %= value\n"
        "    return told\n"
    ),
    "anagrams": (
        "def anagrams(words):\n"
        "    groups = {}\n"
        "    for word in sorted(words):\n"
        "        groups.setdefault(''.join(sorted(word)), []).append(word)\n"
        "    return sorted(groups.values())\n"
    ),
    "sum_of_lines": ("total = 0\nfor _ in range(int(input())):\n    total += int(input())\nprint(total)\n"),
}
"""The solution of each task, by its name; both executors run them."""
