"""Run by the published package's python: its client plays a server and prints what it saw as JSON."""

import asyncio
import json
import sys

from openenv.core import GenericEnvClient

url, amounts = sys.argv[1], [int(amount) for amount in sys.argv[2:]]


def seen(result):
    return {"observation": result.observation, "reward": result.reward, "done": result.done}


async def awaited():
    transcript = []
    async with GenericEnvClient(base_url=url) as env:
        transcript.append(seen(await env.reset(seed=7, episode_id="theirs")))
        for amount in amounts:
            transcript.append(seen(await env.step({"amount": amount})))
        state = await env.state()
        errors = []
        await env.reset()
        for bad in ({"colour": "red"}, {"amount": -1}):
            try:
                await env.step(bad)
            except Exception as error:
                errors.append(f"{type(error).__name__}: {error}")
        after = seen(await env.step({"amount": 2}))
    return {"awaited": transcript, "state": state, "errors": errors, "after": after}


def blocking():
    with GenericEnvClient(base_url=url).sync() as env:
        return [seen(env.reset())] + [seen(env.step({"amount": amount})) for amount in amounts]


print(json.dumps({**asyncio.run(awaited()), "blocking": blocking()}))
