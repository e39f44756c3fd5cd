"""Which actions an environment takes."""

from __future__ import annotations

from ...errors import ExecutionError, InvalidActionError
from ..episode import advance, play, reset, step
from ..subject import Subject
from ..verdict import ContractBroken, DoesNotApply

TRIED = 25


def legal_actions(subject: Subject) -> None:
    """Every action that fits the schema is either done, or refused with the state unchanged; none makes it fail."""
    if not subject.drawn:
        raise DoesNotApply("no action can be drawn from the schema")
    with subject.open() as session:
        reset(session, subject, 0)
        before = session.state()
        for action in subject.drawn[:TRIED]:
            result = step(session, action)
            now = session.state()
            if result is None and now != before:
                raise ContractBroken(f"step({action}) was refused, and yet the state has changed")
            if result is not None and result.done:
                reset(session, subject, 0)
                now = session.state()
            before = now


def illegal_actions(subject: Subject) -> None:
    """An action that does not fit the schema is refused as invalid, changes nothing, and the episode goes on."""
    if not subject.misfits:
        raise DoesNotApply("the schema allows everything")
    with subject.open() as session:
        episode = play(session, subject, 0, longest=1)
        before = session.state()
        for action in subject.misfits[:TRIED]:
            try:
                session.step(action)
            except InvalidActionError:
                pass
            except ExecutionError as error:
                raise ContractBroken(f"step({action}) does not fit the schema and reached the environment: {error}") from None
            else:
                raise ContractBroken(f"step({action}) was done, though it does not fit the schema")
        if session.state() != before:
            raise ContractBroken("refused actions have changed the state")
        if not episode.last.done:
            advance(session, subject, episode, lambda choices: choices[0])
