"""The contract: an environment that keeps it, and for every rule one that breaks it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import breaking
import pytest
from breaking import Sound
from commanding import ENVS
from hypothesis import given, settings
from passing_on import passing_on
from pydantic import BaseModel, Field, ValidationError
from serving import running

from openenv import Observation, State
from openenv.server import create_app
from openenv.testing import RULES, EnvironmentContract, Subject, Verdict, examine
from openenv.testing.schema_values import illegal, legal

BREAKS: dict[str, list[type]] = {
    "metadata": [breaking.NoDocstring],
    "types": [breaking.OtherFields, breaking.Homemade],
    "legal_actions": [breaking.FailsAtSome, breaking.Careless],
    "illegal_actions": [breaking.Lenient],
    "resetting": [breaking.Generous, breaking.Nameless, breaking.Continuing],
    "state": [breaking.Uncounted, breaking.Watched],
    "endings": [breaking.Contradicting],
    "rewards": [breaking.Infinite],
    "reward_range": [breaking.Overpaying, breaking.PaysTheStubborn],
    "rendering": [breaking.Pictureless, breaking.Touched, breaking.Ending],
    "seeding": [breaking.Unseeded, breaking.Monotonous],
    "global_randomness": [breaking.Global, breaking.GlobalArrays],
    "over_the_wire": [breaking.Unlike],
    "cross_talk": [breaking.Shared, breaking.Overlapping],
    "closing": [breaking.ClosedOnce, breaking.ClosedLate],
    "leaks": [breaking.Leaking, breaking.LeavingFilesOpen, breaking.Littering],
}
BREAKS_ELSEWHERE: dict[str, list[type]] = {"after_the_end": [breaking.GoesOn, breaking.CountsOn]}
"""Rules that the server keeps for its environments: they bite at servers that do not."""


class TestSound(EnvironmentContract):
    environment = Sound


def test_a_server_is_held_to_what_can_be_seen_of_it() -> None:
    with running(create_app(Sound)) as url:
        found = {finding.rule: finding for finding in examine(Subject(url=url))}
    assert [finding.rule for finding in found.values() if finding.verdict is Verdict.BROKEN] == []
    skipped = {finding.rule for finding in found.values() if finding.verdict is Verdict.SKIPPED}
    assert skipped == {"global_randomness", "over_the_wire", "closing", "leaks"}


@pytest.mark.parametrize(("rule", "environment"), [(rule, environment) for rule in BREAKS for environment in BREAKS[rule]])
def test_a_rule_bites(rule: str, environment: type) -> None:
    (finding,) = examine(Subject(environment=environment), [rule])
    assert finding.verdict is Verdict.BROKEN, finding
    assert finding.told


@pytest.mark.parametrize(
    ("rule", "environment"), [(rule, environment) for rule in BREAKS_ELSEWHERE for environment in BREAKS_ELSEWHERE[rule]]
)
def test_a_rule_that_the_server_keeps_bites_at_one_that_does_not(rule: str, environment: type) -> None:
    with passing_on(Sound) as sound, passing_on(environment) as broken:
        (kept,) = examine(Subject(url=sound), [rule])
        (finding,) = examine(Subject(url=broken), [rule])
    assert kept.verdict is Verdict.KEPT, kept
    assert finding.verdict is Verdict.BROKEN, finding
    assert "after the end" in finding.told


class Reticent(Sound):
    """Shows of what its seed decides only whether it is rare, which it is for none of the seeds 0 to 7."""

    def seen(self) -> breaking.Seen:
        seen = super().seen()
        seen.roll = int(self._random.random() > 0.96)
        return seen


def test_what_a_seed_decides_may_hardly_show() -> None:
    findings = [finding for _ in range(20) for finding in examine(Subject(environment=Reticent), ["seeding"])]
    assert {(finding.verdict, finding.told) for finding in findings} == {(Verdict.KEPT, "")}


class Failing(Sound):
    """Cannot begin."""

    def reset(self, seed: int | None = None, episode_id: str | None = None) -> breaking.Seen:
        raise RuntimeError("no room\nfor a die")


def test_what_an_environment_raised_is_told_in_one_line_with_its_kind() -> None:
    (finding,) = examine(Subject(environment=Failing), ["resetting"])
    assert (finding.verdict, finding.told) == (Verdict.BROKEN, "RuntimeError: no room for a die")


def test_every_rule_is_proved_to_bite() -> None:
    assert RULES.keys() == BREAKS.keys() | BREAKS_ELSEWHERE.keys()
    assert {f"test_{rule}" for rule in RULES} == {name for name in vars(EnvironmentContract) if name.startswith("test_")}


def test_what_it_says_is_one_line_for_the_author(tmp_path: Path) -> None:
    written = "from breaking import Overpaying\nfrom openenv.testing import EnvironmentContract\n\n\n"
    written += "class TestOverpaying(EnvironmentContract):\n    environment = Overpaying\n"
    (tmp_path / "test_it.py").write_text(written)
    command = [sys.executable, "-m", "pytest", "-q", "--tb=line", "-p", "openenv.testing.plugin", "-p", "no:cacheprovider"]
    known = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, cwd=tmp_path, env=known, timeout=120)
    assert "gave a reward of 2.0, and the REWARD_RANGE is 0.0 to 1.0" in done.stdout
    assert "1 failed" in done.stdout


def test_every_environment_here_inherits_it() -> None:
    folders = [path.parent for path in ENVS.glob("*/openenv.yaml")]
    assert folders
    for folder in folders:
        assert "(EnvironmentContract):" in "".join(path.read_text() for path in folder.glob("tests/test_*.py")), folder


class Inner(BaseModel):
    kind: str = Field(pattern=r"^[a-z]{1,3}$")
    share: float = Field(gt=0, lt=1)


class Outer(BaseModel, extra="forbid"):
    count: int = Field(ge=-3, le=5, multiple_of=2)
    names: list[str] = Field(min_length=1, max_length=3)
    inner: Inner | None = None
    either: int | str | bool = 0
    pair: tuple[int, bool] = (0, False)
    table: dict[str, int] = Field(default_factory=dict)
    deep: list[Outer] = Field(default_factory=list)


@given(legal(Outer.model_json_schema()), illegal(Outer.model_json_schema()))
@settings(max_examples=100, deadline=None)
def test_drawn_values_fit_their_schema_and_others_do_not(fitting: object, other: object) -> None:
    Outer.model_validate(fitting)
    with pytest.raises(ValidationError):
        Outer.model_validate(other)


@pytest.mark.parametrize("model", [Observation, State])
def test_models_of_this_package_can_be_drawn(model: type[BaseModel]) -> None:
    @given(legal(model.model_json_schema()))
    @settings(max_examples=20, deadline=None)
    def fits(value: dict[str, object]) -> None:
        if not (value.get("done") and value.get("terminated") is False and value.get("truncated") is False):
            model.model_validate(value)

    fits()
