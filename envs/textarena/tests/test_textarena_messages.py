"""Messages made to hold a server up, and that what is read swiftly is read as TextArena reads it."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from textarena_env import TextArenaAction
from textarena_env.policies import RandomPolicy
from textarena_env.policies.formats import FORMS, fill, game_name
from textarena_env.server import catalogue, environment
from textarena_env.server.environment import TextArenaEnvironment
from textarena_env.server.patterns import SAME_IN_LESS_TIME

LENGTH = 100_000
"""Five times the longest message allowed: what takes the square of its length takes minutes."""

PIECES = ["[", "]", "\n", " ", "1", "12", "a", "A", "b", ".", ",", ":", "x", "{", "}", "a1", "h8", ">", "!", "}]", "[1", "1]"]
HEADS = {
    "call": ["[call"],
    "bid": ["[bid ", "[bid", "1, 2"],
    "col": ["[col ", "[COL 3]"],
    "player": ["[player", "[player 1]"],
    "ffer": ["[Offer:", "[offer ", "I give ", "i offer", "1 Wheat", " .", ".."],
    "place": ["[place () {", "[move (1,2) {", "}]"],
}

HOSTILE = {
    "ConnectFour-v0": ("", "["),
    "ColonelBlotto-v0": ("", "["),
    "TowerOfHanoi-v0": ("[A", " "),
    "LinesOfAction-v0": ("", " "),
    "SimpleNegotiation-v0": ("[Offer:", " "),
}
"""Five games whose own patterns take longest, each with how the message begins and goes on that takes them longest."""

STARTS = ("", "[", "[1", "[a", "[A", "[Offer: ", "[Bid ", "[call", "[col ", "[player ", "[place () {", "[Propose] ", "{")


def whole(start: str, piece: str) -> str:
    """Return a message of the length, not all of it blank."""
    return (start + piece * LENGTH)[: LENGTH - 1] + "!"


def hostile_messages(env_id: str) -> list[str]:
    """Return messages for any game: long runs after the beginnings of moves, moves over and over, and great numbers."""
    forms = FORMS.get(game_name(env_id), ())
    rng, moves = Random(0), []
    for form in forms:
        move = fill(form, rng, "word")
        cut = move.replace("]", "").rstrip("}")
        moves += [whole("", f"{move} "), whole("", f"{cut} "), whole(cut, " "), re.sub(r"\d+", "9" * 9, move)]
        moves += [re.sub(r"\d+", "9" * 4000, move), move.replace(" ", " " * (LENGTH // 9))]
    runs = [whole(start, piece) for start in STARTS for piece in (" ", "[", "1", "a", ".", start or "\n")]
    return [message[:LENGTH] for message in moves + runs]


def say_all(env_id: str, messages: list[str], moves: int) -> None:
    """Say each of these at a game's beginning and after each of some moves, on copies; and at last for good."""
    environment.MAX_MESSAGE_CHARS = LENGTH
    played = TextArenaEnvironment(env_id, opponent_policy="none")
    observation, player = played.reset(seed=0), RandomPolicy(0)
    match = played._match
    assert match is not None
    for _ in range(moves):
        for message in messages:
            match.game.would_refuse(message)
        if observation.done:
            return
        observation = played.step(TextArenaAction(message=player.select_action(observation)))
    for message in messages:
        if not observation.done:
            with suppress(ValueError):
                observation = played.step(TextArenaAction(message=message))


def held_up_by(messages: str, env_ids: list[str], moves: int, timeout_s: float) -> str | None:
    """Return the game that another process is at when its time is over; None: it is done with all of them.

    `messages` is an expression for those of the game `env_id`.
    """
    code = f"""if True:
        import test_textarena_messages as t
        for env_id in {env_ids}:
            print(env_id, flush=True)
            t.say_all(env_id, {messages}, {moves})
    """
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    command = [sys.executable, "-c", code]
    try:
        done = subprocess.run(command, env={"PYTHONPATH": path}, capture_output=True, text=True, timeout=timeout_s)
    except subprocess.TimeoutExpired as expired:
        return (expired.stdout or b"none").decode().split()[-1]
    assert done.returncode == 0, done.stderr
    return None


def used(pattern: re.Pattern[str], text: str, search_only: bool) -> object:
    """Return what a game reads with a pattern: the groups of the first match, or all that is found."""
    first = pattern.search(text)
    if search_only:
        return first and first.groups()
    found = [match for match in pattern.findall(text) if match and (not isinstance(match, str) or match.strip())]
    return found, None if "{" in pattern.pattern else pattern.sub("#", text)


@pytest.mark.parametrize("theirs", SAME_IN_LESS_TIME)
def test_the_swift_patterns_read_what_textarenas_read(theirs: str) -> None:
    ours, rng, matches = SAME_IN_LESS_TIME[theirs], Random(theirs), 0
    heads = [piece for name, pieces in HEADS.items() if name in theirs for piece in pieces]
    search_only = ours.startswith(("(?m)", r"\A")) or "a-h" in theirs or "place" in theirs
    flags = re.IGNORECASE | re.DOTALL if "ffer" in theirs else re.IGNORECASE
    old, new = re.compile(theirs, flags), re.compile(ours, flags)
    for _ in range(3_000):
        alphabet = [*rng.sample(PIECES, rng.randint(1, 5)), *heads, "]", "["]
        text = "".join(rng.choices(alphabet, k=rng.randint(1, 14)))
        expected = used(old, text, search_only)
        assert used(new, text, search_only) == expected, text
        matches += old.search(text) is not None
    assert matches > 10


def test_textarena_has_the_patterns_that_are_mended() -> None:
    found = importlib.util.find_spec("textarena")
    assert found is not None
    assert found.origin is not None
    sources = "".join(path.read_text() for path in (Path(found.origin).parent / "envs").rglob("env.py"))
    joined = re.sub(r'"\s*(#.*)?\n\s*r"', "", sources)
    assert [pattern for pattern in SAME_IN_LESS_TIME if pattern not in joined] == []


@pytest.mark.timeout(200)
def test_no_message_holds_the_server_up() -> None:
    assert held_up_by("[t.whole(*t.HOSTILE[env_id])]", list(HOSTILE), 1, 150) is None


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_no_message_holds_any_game_up() -> None:
    found: dict[str, str] = {}
    for env_id in catalogue.env_ids():
        if (entry_point := catalogue.registry()[env_id].entry_point) not in found:
            with suppress(catalogue.GameUnavailable):
                TextArenaEnvironment(env_id, opponent_policy="none").reset(seed=0)
                found[entry_point] = env_id
    assert len(found) == 82
    assert held_up_by("t.hostile_messages(env_id)", list(found.values()), 3, 3000) is None
