"""Writes the tables of docs/sessions.md from the code: `python docs/tables.py`. `--check` only tells whether they are right."""

from __future__ import annotations

import inspect
import re
import sys
from dataclasses import fields
from pathlib import Path

from openenv import errors
from openenv.server.problems import status_of
from openenv.sessions.settings import Settings
from openenv.wire import messages, v2

DOCUMENT = Path(__file__).parent / "sessions.md"


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").split("\n")[0]


def error_table() -> str:
    rows = [
        [f"`{code}`", f"`{kind.__name__}`", "yes" if kind.retryable else "no", str(status_of(code)), first_line(kind)]
        for code, kind in errors.codes().items()
    ]
    return table(["code", "class", "again", "HTTP", "meaning"], rows)


def settings_table() -> str:
    told = re.split(r"\n    (?=\w+: )", inspect.getdoc(Settings).partition("Attributes:")[2])  # type: ignore[union-attr]
    meaning = {name: " ".join(text.split()) for name, _, text in (entry.strip().partition(": ") for entry in told)}
    rows = [[f"`{field.name}`", f"`{field.default}`", meaning[field.name].replace("|", "\\|")] for field in fields(Settings)]
    return table(["setting", "default", "meaning"], rows)


def message_table() -> str:
    numbered = [[f"`{kind}`", f"`{messages.REPLY_TYPE[kind]}`", "yes"] for kind in sorted(messages.NUMBERED)]
    others = [[f"`{kind}`", "none", "no"] for kind in (messages.ACK, messages.CANCEL, messages.CLOSE)]
    limits = [
        ["subprotocols, in the client's order", ", ".join(f"`{name}`" for name in v2.CODECS)],
        ["unacknowledged requests at most", str(messages.MAX_IN_FLIGHT)],
        ["largest message unless set otherwise, bytes", str(messages.DEFAULT_MAX_MESSAGE_BYTES)],
        ["close code of a message out of place", str(messages.CLOSE_PROTOCOL)],
        ["close code of an unknown session", str(messages.CLOSE_UNKNOWN)],
        ["close code of a session that a newer socket has", str(messages.CLOSE_REPLACED)],
    ]
    kinds = table(["request (version 2)", "reply", "carries an id"], numbered + others)
    return f"{kinds}\n\n{table(['limit', 'value'], limits)}"


TABLES = {"errors": error_table, "settings": settings_table, "messages": message_table}


def written(text: str) -> str:
    """Return the document with its tables made anew."""
    for name, make in TABLES.items():
        block = f"<!-- {name} -->\n\n{make()}\n\n<!-- end of {name} -->"
        text, count = re.subn(
            rf"<!-- {name} -->(?:.*?<!-- end of {name} -->)?", lambda _, block=block: block, text, flags=re.DOTALL
        )
        assert count == 1, f"{DOCUMENT.name} has no place for the table of {name}"
    return text


def main() -> int:
    text = DOCUMENT.read_text()
    right = written(text)
    if "--check" in sys.argv[1:]:
        if text != right:
            print("docs/sessions.md is not what the code says: run python docs/tables.py", file=sys.stderr)
        return int(text != right)
    DOCUMENT.write_text(right)
    return 0


if __name__ == "__main__":
    sys.exit(main())
