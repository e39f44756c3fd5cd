"""`openenv play`: play an environment in the terminal."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import IO, TYPE_CHECKING, Annotated, Any, Protocol

import typer

from ..client.generic import GenericEnvClient
from ..contract.result import StepResult
from ..contract.tools import Tool
from ..errors import ExecutionError, InvalidActionError, MissingExtra, OpenEnvError, UsageError
from ..testing.one_field import one_field
from .target import served
from .tool_calls import drawn_calls, told_outcome, told_tool, tools_at

if TYPE_CHECKING:
    from ..testing.subject import Session, Subject

Result = StepResult[dict[str, Any]]

REFUSALS = 200
"""After so many refused actions a random player gives up."""


class Player(Protocol):
    """Chooses actions."""

    def act(self, observation: dict[str, Any]) -> dict[str, Any] | None:
        """Return the next action; None leaves the game."""

    def refused(self, why: str) -> None:
        """Hear that the last action was refused; the game stands where it stood."""


class Policy(StrEnum):
    """Who plays."""

    PERSON = "person"
    RANDOM = "random"


def play(
    target: Annotated[
        str, typer.Argument(metavar="[URL|NAME|IMAGE|PATH]", help="What to play.", show_default="this folder")
    ] = ".",
    policy: Annotated[Policy, typer.Option(help="Who plays: you, or chance.")] = Policy.PERSON,
    seed: Annotated[int | None, typer.Option(help="Decides every random choice.", show_default="a fresh one")] = None,
    options: Annotated[str, typer.Option("--reset", metavar="JSON", help="What else the reset is given.")] = "{}",
    record: Annotated[
        Path | None, typer.Option(help="Write each call and what it gave to this file, a line of JSON each.")
    ] = None,
) -> None:
    """Play one episode. An action is JSON, or the bare value of the one field that it needs; an empty line leaves the game."""
    from ..testing.subject import Subject

    if policy is Policy.RANDOM and find_spec("hypothesis") is None:
        raise MissingExtra("random actions are drawn with Hypothesis: pip install 'openenv-core[testing]'")
    given = _object(options)
    with ExitStack() as stack:
        book = stack.enter_context(_book(record)) if record is not None else None
        url = stack.enter_context(served(target))
        subject = Subject(url=url)
        tools = tools_at(url, subject.schemas["action"])
        session = stack.enter_context(GenericEnvClient(base_url=url).sync())
        result = session.reset(**given, **({} if seed is None else {"seed": seed}))
        _write(book, "reset", {**given, "seed": seed}, result)
        person = policy is Policy.PERSON
        player = _Person(subject, tools) if person else _Chance(subject, Random(seed), drawn_calls(tools))
        _episode(session, result, player, book)


def _episode(session: Session, result: Result, player: Player, book: IO[str] | None) -> None:
    """Play until the episode or the player ends."""
    total = 0.0
    _show(session, result)
    while not result.done:
        action = player.act(result.observation)
        if action is None:
            break
        try:
            result = session.step(action)
        except (InvalidActionError, ExecutionError) as error:
            player.refused(error.message)
            continue
        _write(book, "step", action, result)
        total += float(result.reward or 0.0)
        typer.echo(f"> {json.dumps(action)}")
        _show(session, result)
    typer.echo(f"{'over' if result.done else 'left'}; rewards add up to {total:g}")


class _Person:
    """Types actions."""

    def __init__(self, subject: Subject, tools: list[Tool]) -> None:
        self._field = one_field(subject.schemas["action"])
        shape = {name: kind for name, kind in subject.schemas["action"].get("properties", {}).items() if name != "metadata"}
        bare = f", or the value of {self._field} alone" if self._field else ""
        typer.echo(f"An action is JSON with {', '.join(shape) or 'no fields'}{bare}; an empty line leaves.")
        for tool in tools:
            typer.echo(told_tool(tool))

    def act(self, observation: dict[str, Any]) -> dict[str, Any] | None:
        typer.echo("action: ", nl=False)
        line = sys.stdin.readline().strip()
        if not line:
            typer.echo()
            return None
        try:
            value = json.loads(line)
        except json.JSONDecodeError:
            value = line
        if isinstance(value, dict):
            return value
        return {self._field or "value": value}

    def refused(self, why: str) -> None:
        typer.echo(f"refused: {why}")


class _Chance:
    """Draws calls of tools where there are tools, else from what the observation lists as legal, or the action's schema."""

    def __init__(self, subject: Subject, chance: Random, calls: list[dict[str, Any]]) -> None:
        self._subject = subject
        self._chance = chance
        self._calls = calls
        self._refusals = 0

    def act(self, observation: dict[str, Any]) -> dict[str, Any] | None:
        choices = self._calls or self._subject.choices(observation)
        return self._chance.choice(choices) if choices else None

    def refused(self, why: str) -> None:
        self._refusals += 1
        if self._refusals == REFUSALS:
            raise ExecutionError(f"the environment refused {REFUSALS} random actions, the last with: {why}")


def _book(record: Path) -> IO[str]:
    try:
        return record.open("w", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--record: cannot write {record}: {error.strerror}") from None


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(f"--reset is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise UsageError('--reset must be a JSON object, such as \'{"game": "chess"}\'')
    return value


def _show(session: Session, result: Result) -> None:
    """Print the board where there is one, else what is seen."""
    try:
        text = session.render().get("text/plain")
    except OpenEnvError:
        text = None
    typer.echo(text if text is not None else json.dumps(result.observation, default=str))
    if text is not None and (outcome := told_outcome(result.observation)) is not None:
        typer.echo(outcome)
    if result.reward is not None:
        typer.echo(f"reward {result.reward:g}")


def _write(book: IO[str] | None, call: str, given: dict[str, Any], result: Result) -> None:
    if book is not None:
        told = {"observation": result.observation, "reward": result.reward, "done": result.done}
        book.write(json.dumps({"call": call, "given": given, **told}, default=str) + "\n")
