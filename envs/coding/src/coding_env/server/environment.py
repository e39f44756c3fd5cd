"""A Python interpreter behind `reset`, `step` and `state`."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from openenv import Environment, NoEpisodeError
from openenv.contract.environment import describe
from openenv.contract.models import EnvironmentMetadata
from openenv.contract.transforms import Transform

from ..models import CodeAction, CodeObservation, CodeState
from ..tasks import CallTest, CodeTask
from ..version import __version__
from .cell.frames import pack
from .cell.plain import NotPlain, plain
from .grader import Grader
from .interpreter import WALL_TIME, Interpreter, Outcome
from .nursery import nursery
from .options import Options
from .rewards import standard_rewards

SETUP = "<setup>"
LONGEST_TOLD = 200
"""Characters of what was given that an error repeats."""


class CodingEnvironment(Environment[CodeAction, CodeObservation, CodeState]):
    """Runs Python code in a process of its own, walled in by the kernel; with a task, hidden tests decide the reward.

    Args:
        transform: makes rewards, see `rewards`; None for the standard ones.
        options: any field of `options.Options`, over its environment variable. The `executor` is for episodes whose `reset`
            names none.

    Raises:
        ValueError: an option cannot be what it is.
        RuntimeError: interpreters cannot be started on this system.
    """

    SUPPORTS_CONCURRENT_SESSIONS = True
    REWARD_RANGE = (-1.0, 1.0)
    REWARD_KIND = "delta"

    def __init__(self, transform: Transform[CodeObservation] | None = None, **options: Any) -> None:
        super().__init__(standard_rewards() if transform is None else transform)
        self._defaults = self._options = Options.from_environment(**options)
        nursery(self._options.executor)
        self._interpreter: Interpreter | None = None
        self._task: CodeTask | None = None
        self._seed: int | None = None
        self._cells: list[str] = []
        self._last: tuple[str, CodeObservation] | None = None
        self._over = False
        self._state = CodeState(executor=self._options.executor)

    def reset(
        self,
        seed: int | None = None,
        episode_id: str | None = None,
        *,
        task: CodeTask | dict[str, Any] | None = None,
        executor: str | None = None,
    ) -> CodeObservation:
        """Start a fresh interpreter; what earlier episodes left is gone.

        Args:
            seed: seeds the interpreter's `random`. None: a fresh one.
            episode_id: a name for the episode; None makes one up.
            task: what is to be programmed, with its hidden tests. None: none, and the episode has no end.
            executor: `smolagents` or `cpython`, for this episode. None: as the class was told.

        Raises:
            ValueError: the task, the executor or the seed cannot be used. The episode so far goes on.
            RuntimeError: the machinery failed.
        """
        chosen = None if task is None else _usable(task)
        options = self._defaults if executor is None else replace(self._defaults, executor=executor)
        state = CodeState(
            episode_id=uuid.uuid4().hex if episode_id is None else episode_id,
            executor=options.executor,
            task=None if chosen is None else chosen.name,
            tests_total=0 if chosen is None else len(chosen.tests),
        )
        fresh = self._started(options, seed, chosen)
        if self._interpreter is not None:
            self._interpreter.close()
        self._interpreter, self._options, self._task, self._seed = fresh, options, chosen, seed
        self._cells, self._last, self._over = [], None, False
        self._state = state
        self._state.protection = fresh.protection
        told: dict[str, Any] = {"protection": fresh.protection}
        if chosen is not None:
            told["task"] = {"name": chosen.name, "prompt": chosen.prompt, "tests": len(chosen.tests)}
        return CodeObservation(metadata=told)

    def step(self, action: CodeAction, timeout_s: float | None = None) -> CodeObservation:
        """Run the code and return what it wrote. A limit that it hits ends the interpreter, and is its outcome.

        Raises:
            ValueError: the code is too long. Nothing ran.
            RuntimeError: `reset` was not called, the episode is over, or the machinery failed: then nothing is rewarded.
        """
        if self._interpreter is None:
            raise NoEpisodeError("there is no episode: call reset() before step()")
        if self._over:
            raise NoEpisodeError("the episode is over: reset() starts the next one")
        length = len(action.code.encode("utf-8", "surrogatepass"))
        if length > self._options.code_bytes:
            raise ValueError(f"the code has {length} bytes, and {self._options.code_bytes} are allowed: send less at once")
        if not self._interpreter.alive:
            self._restart()
        number = self._state.step_count + 1
        outcome = self._interpreter.run(action.code, f"<step {number}>", self._options.wall_time_s)
        observation = self._observation(outcome)
        if self._task is not None:
            self._cells.append(action.code)
            self._grade(self._task, observation, number, went_on=outcome.ended_by is None)
        observation = self._apply_transform(observation.answering(action.code))
        self._state.step_count = number
        self._state.last_exit_code = outcome.exit_code
        if outcome.ended_by is not None:
            self._cells = []
            self._state.context_lost = True
        self._last = action.code, observation
        self._over = observation.done
        return observation

    @property
    def state(self) -> CodeState:
        return self._state

    def close(self) -> None:
        """End the interpreter and all that it left."""
        if self._interpreter is not None:
            self._interpreter.close()
            self._interpreter = None

    def render(self) -> dict[str, str]:
        """Return the last step as a console would show it: `{"text/plain": …}`."""
        if self._last is None:
            return {"text/plain": f"{self._state.executor}: no code has run yet"}
        code, seen = self._last
        typed = "\n".join(f"{'>>>' if place == 0 else '...'} {line}" for place, line in enumerate(code.splitlines() or [""]))
        return {"text/plain": f"{typed}\n{seen.stdout}{seen.stderr}[step {self._state.step_count}, exit code {seen.exit_code}]"}

    def get_metadata(self) -> EnvironmentMetadata:
        """Return what the environment is, and in `description` too which walls stand here and which do not."""
        protection = self._state.protection
        if not protection:
            with_interpreter = Interpreter(self._options)
            protection = with_interpreter.protection
            with_interpreter.close()
        enforced = "; ".join(f"{name}: {how}" for name, how in protection["enforced"].items())
        missing = "; ".join(protection["missing"]) or "nothing that this environment knows of"
        description = f"Runs Python code ({self._options.executor}). Enforced here: {enforced}. Not enforced: {missing}."
        return describe(type(self), "coding").model_copy(update={"description": description, "version": __version__})

    def _started(self, options: Options, seed: int | None, task: CodeTask | None) -> Interpreter:
        interpreter = Interpreter(options, seed)
        if task is not None and task.setup:
            try:
                outcome = interpreter.run(task.setup, SETUP, options.wall_time_s)
            except BaseException:
                interpreter.close()
                raise
            if outcome.exit_code != 0 or outcome.ended_by is not None:
                interpreter.close()
                reason = (outcome.stderr.strip().splitlines() or [f"exit code {outcome.exit_code}"])[-1]
                raise ValueError(f"the setup of task {_short(task.name)!r} fails: {_short(reason)}")
        return interpreter

    def _restart(self) -> None:
        lost = self._interpreter
        self._interpreter = self._started(self._options, self._seed, self._task)
        if lost is not None:
            lost.close()

    def _observation(self, outcome: Outcome) -> CodeObservation:
        seen = CodeObservation(stdout=outcome.stdout, stderr=outcome.stderr, exit_code=outcome.exit_code)
        if outcome.ended_by is not None:
            notice = f"[{self._reason(outcome)}; its variables are lost, and the next code starts with none]\n"
            separator = "\n" if seen.stderr and not seen.stderr.endswith("\n") else ""
            seen.stderr += separator + notice
            seen.metadata = {"limit": outcome.ended_by, "context_lost": True}
        return seen

    def _reason(self, outcome: Outcome) -> str:
        options = self._options
        return {
            WALL_TIME: f"the interpreter was ended: the code took more than {options.wall_time_s:g} s",
            "cpu_time": f"the interpreter was ended: the code used more than {options.cpu_time_s:g} s of CPU time",
            "disk": f"the interpreter was ended: its folder holds more than {options.disk_mb} MiB or too many files",
            "tampered": "the interpreter was ended: the code broke its connection to the server",
        }.get(outcome.ended_by or "", f"the code ended the interpreter, with exit code {outcome.exit_code}")

    def _grade(self, task: CodeTask, observation: CodeObservation, number: int, *, went_on: bool) -> None:
        best = self._state.tests_passed
        passed = Grader(task, self._options, self._seed).passed(self._cells, went_on=went_on)
        tests = {"passed": passed, "total": len(task.tests), "best_before": best}
        observation.metadata = {**observation.metadata, "tests": tests}
        observation.reward = 0.0
        self._state.tests_passed = max(best, passed)
        if passed == len(task.tests):
            observation.terminated = True
        elif number >= task.max_steps:
            observation.truncated = True


def _usable(given: CodeTask | dict[str, Any]) -> CodeTask:
    """The task that was given. Raises `ValueError`, in one line, for what cannot be one."""
    try:
        task = given if isinstance(given, CodeTask) else CodeTask.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        further = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        told = _short(f"{place or 'task'}: {first['msg']}")
        raise ValueError(f"the task cannot be used: {told}{further}") from None
    for number, test in enumerate(task.tests):
        if isinstance(test, CallTest):
            try:
                plain(test.expected)
                pack({"args": test.args, "kwargs": test.kwargs})
            except (NotPlain, TypeError, ValueError) as error:
                raise ValueError(f"the task cannot be used: tests.{number}: {_short(str(error))}") from None
    return task


def _short(text: str) -> str:
    """A text for an error's one line, which may hold what was given."""
    return text if len(text) <= LONGEST_TOLD else f"{text[:LONGEST_TOLD]}…"
