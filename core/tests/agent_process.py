"""A harness as a program: it takes a line, calls tools over MCP where it is told to, and answers with events as JSON lines."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

READY = "ready"


def tell(kind: str, **data: Any) -> None:
    print(json.dumps({"type": kind, "data": data}), flush=True)


async def call(url: str, name: str, arguments: dict[str, Any]) -> Any:
    from mcp import Client

    async with Client(url) as client:
        found = await client.call_tool(name, arguments)
        return found.structured_content


def play(message: str, turn: int) -> None:
    """Take one turn; what it does is its first word."""
    word, _, rest = message.partition(" ")
    if word == "crash":
        print("out of luck", file=sys.stderr, flush=True)
        sys.exit(7)
    if word == "hang":
        print("waiting", file=sys.stderr, flush=True)
        sys.stdin.read()
    if word == "call":
        name, _, arguments = rest.partition(" ")
        tell("tool_result", told=asyncio.run(call(os.environ["TOOLS_URL"], name, json.loads(arguments))))
    tell("turn_complete", response=f"{turn}: {message}", done=word == "goodbye")


if __name__ == "__main__":
    print(READY, flush=True)
    for number, line in enumerate(sys.stdin, start=1):
        play(line.strip(), number)
