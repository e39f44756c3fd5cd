"""What an environment says and shows of itself."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from ...contract.models import Action, Observation, State
from ...errors import ExecutionError, NotSupportedError
from ..episode import play, reset
from ..subject import Session, Subject
from ..verdict import ContractBroken, DoesNotApply


def metadata(subject: Subject) -> None:
    """It has a name, and a description that says more than the name."""
    said = subject.metadata
    if not said.get("name"):
        raise ContractBroken("metadata has no name")
    described = str(said.get("description") or "")
    if not described or described == f"{said['name']} environment":
        raise ContractBroken("it does not say what it is: give the class a docstring, or write get_metadata()")


def types(subject: Subject) -> None:
    """Its models are named, have schemas, and are what `reset`, `step` and `state` give."""
    for name, schema in subject.schemas.items():
        if schema.get("type") != "object" and "$ref" not in schema and not schema.get("anyOf"):
            raise ContractBroken(f"the schema of the {name} is of no object")
    if subject.url is not None:
        return
    spec = subject.spec
    for model, base in ((spec.action, Action), (spec.observation, Observation), (spec.state, State)):
        if not issubclass(model, base):
            raise ContractBroken(f"{model.__name__} does not inherit {base.__name__}")
    with subject.open() as session:
        episode = play(session, subject, 0, longest=5)
        for result in (episode.first, *episode.steps):
            _fits(spec.observation, result.observation)
        _fits(spec.state, session.state())


def _fits(model: type[Any], data: dict[str, Any]) -> None:
    try:
        model.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise ContractBroken(f"what it gave is no {model.__name__}: {where}: {first['msg']}") from None


def rendering(subject: Subject) -> None:
    """Its picture, if it has one, is there from the reset to the end, as a MIME bundle with text; to look changes nothing."""
    with subject.open() as session:
        reset(session, subject, 0)
        try:
            session.render()
        except NotSupportedError:
            raise DoesNotApply("it has no render()") from None
        _drawn(session, "after reset()")
        episode = play(session, subject, 0)
        _drawn(session, "at the end" if episode.last.done else f"after {len(episode.steps)} steps")


def _drawn(session: Session, when: str) -> None:
    before = session.state()
    try:
        bundle = session.render()
    except ExecutionError as error:
        raise ContractBroken(f"render() {when} fails: {error}") from None
    if session.state() != before:
        raise ContractBroken("render() changes the state")
    if not bundle or any("/" not in kind or not content for kind, content in bundle.items()):
        raise ContractBroken(f"render() {when} gives no {{MIME type: content}}, with no content empty")
    if "text/plain" not in bundle:
        raise ContractBroken("render() gives no text/plain, which everyone can show")
