"""How episodes begin, go on and end, and what they are worth."""

from __future__ import annotations

import math

from ...errors import ExecutionError, InvalidActionError
from ..episode import Episode, Result, play, reset
from ..subject import Session, Subject
from ..verdict import ContractBroken, DoesNotApply

EPISODES = 5


def resetting(subject: Subject) -> None:
    """A reset begins an episode, in the middle of another too: no reward, not done, and the name that it was given."""
    with subject.open() as session:
        first = reset(session, subject, 0, episode_id="one")
        _begun(session, first, "one")
        play(session, subject, 0, longest=3)
        again = reset(session, subject, 0, episode_id="two")
        _begun(session, again, "two")
        if subject.comparable(first.observation).keys() != subject.comparable(again.observation).keys():
            raise ContractBroken("a second reset gives other fields than the first")


def _begun(session: Session, result: Result, episode_id: str) -> None:
    if result.reward is not None:
        raise ContractBroken(f"reset() gives a reward of {result.reward}: None is due, since nothing has been done")
    if result.done:
        raise ContractBroken("reset() gives an episode that is over")
    state = session.state()
    if state.get("episode_id") != episode_id:
        raise ContractBroken(f"reset(episode_id={episode_id!r}), and the state's episode_id is {state.get('episode_id')!r}")
    if state.get("step_count") != 0:
        raise ContractBroken(f"after reset() the state's step_count is {state.get('step_count')}, not 0")


def state(subject: Subject) -> None:
    """The state counts the steps, and asking for it changes nothing."""
    with subject.open() as session:
        episode = play(session, subject, 0, longest=3)
        now = session.state()
        if now.get("step_count") != len(episode.steps):
            raise ContractBroken(f"after {len(episode.steps)} steps the state's step_count is {now.get('step_count')}")
        if session.state() != now:
            raise ContractBroken("asking for the state changes it")


def endings(subject: Subject) -> None:
    """`done` says what `terminated` and `truncated` say together, where they are said."""
    for episode in _episodes(subject):
        for result in (episode.first, *episode.steps):
            if result.terminated is None and result.truncated is None:
                continue
            if result.done != bool(result.terminated or result.truncated):
                flags = f"terminated={result.terminated}, truncated={result.truncated}"
                raise ContractBroken(f"done={result.done} with {flags}")


def after_the_end(subject: Subject) -> None:
    """After the end a step is refused, changes nothing and earns nothing; a reset begins the next episode."""
    with subject.open() as session:
        episode = play(session, subject, 0)
        if not episode.last.done:
            raise DoesNotApply(f"no end within {subject.longest} steps")
        before = session.state()
        try:
            session.step(episode.actions[-1])
        except (ExecutionError, InvalidActionError):
            pass
        else:
            raise ContractBroken("a step after the end was done")
        if session.state() != before:
            raise ContractBroken("a step after the end has changed the state")
        _begun(session, reset(session, subject, 0, episode_id="next"), "next")


def rewards(subject: Subject) -> None:
    """Rewards are finite numbers, or None."""
    for episode in _episodes(subject):
        for action, result in zip(episode.actions, episode.steps, strict=True):
            if result.reward is not None and not math.isfinite(result.reward):
                raise ContractBroken(f"step({action}) gave a reward of {result.reward}")


def reward_range(subject: Subject) -> None:
    """Whoever plays at random, or does the same thing again and again, stays within the rewards that are declared."""
    declared = subject.metadata.get("reward_range")
    if declared is None:
        raise DoesNotApply("it declares no REWARD_RANGE")
    least, greatest = declared
    with subject.open() as session:
        stubborn = play(session, subject, 0, choose=lambda choices: choices[0])
    for episode in [*_episodes(subject), stubborn]:
        for action, result in zip(episode.actions, episode.steps, strict=True):
            reward = result.reward
            if reward is not None and not (-math.inf if least is None else least) <= reward <= (
                math.inf if greatest is None else greatest
            ):
                raise ContractBroken(f"step({action}) gave a reward of {reward}, and the REWARD_RANGE is {least} to {greatest}")


def _episodes(subject: Subject) -> list[Episode]:
    with subject.open() as session:
        return [play(session, subject, seed) for seed in range(EPISODES)]
