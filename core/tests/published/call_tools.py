"""Run by the published package's python: its client calls tools of a server and prints what it saw as JSON."""

import asyncio
import json
import sys

from openenv.core.mcp_client import MCPToolClient


async def awaited():
    async with MCPToolClient(base_url=sys.argv[1]) as env:
        await env.reset()
        tools = sorted(tool.name for tool in await env.list_tools())
        seen = {"tools": tools, "add": await env.call_tool("add", a=1, b=2), "has": await env.has_tool("add")}
        seen["counted"] = [await env.call_tool("count") for _ in range(2)]
        seen["errors"] = []
        for name, arguments in (("fail", {"why": "bad luck"}), ("nothing", {}), ("add", {"a": "one"})):
            try:
                await env.call_tool(name, **arguments)
            except RuntimeError as error:
                seen["errors"].append(str(error))
        return seen


print(json.dumps(asyncio.run(awaited())))
