"""Harnesses: runs of a model over sessions, processes, bridges, and environments in which a real process plays."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from typing import Any

import pytest
from agents import ProcessAdapter, Talk, kit
from mcp import Client as SdkClient
from serving import running, wait_until

from openenv import EnvClient, Observation, State
from openenv.contract.tools import CallToolAction, Tool
from openenv.errors import ExecutionError, HarnessNotRunningError, HarnessTurnTimeoutError, UsageError
from openenv.llm import LLMResponse, ToolCall
from openenv.rollout.harness import (
    HarnessAction,
    HarnessEnvironment,
    HarnessMCPBridge,
    HarnessProcess,
    HarnessRunLimits,
    MCPHarnessAdapter,
    Message,
    ModelStepResult,
    ResourceSession,
    ToolResult,
    VerifyResult,
    build_bridge_server,
)
from openenv.server import create_app


class Session(ResourceSession):
    """Whatever is called fails, and says so; observations are models."""

    def initial_messages(self) -> list[Message]:
        return [{"role": "user", "content": "go"}]

    def list_tools(self) -> list[Tool]:
        return []

    def call_tool(self, name: str, arguments: dict[str, Any]) -> ToolResult:
        return ToolResult(error="no key") if name == "open" else ToolResult(data={"seen": Observation(reward=1.0)})

    def verify(self, transcript: list[Message], final_state: Any | None = None) -> VerifyResult:
        return VerifyResult()

    def close(self) -> None:
        pass


def test_a_model_reads_what_a_tool_gave_or_why_it_gave_nothing() -> None:
    calls = [ToolCall(id="1", name="open", args={}), ToolCall(id="2", name="look", args={})]
    answers = iter([LLMResponse("", calls), LLMResponse("bye")])
    run = MCPHarnessAdapter().run_white_box(lambda *_: ModelStepResult(next(answers)), Session(), HarnessRunLimits())
    told = [message["content"] for message in run.messages if message["role"] == "tool"]
    assert told[0] == "no key"
    assert '"reward": 1.0' in told[1]
    assert (run.done, run.metrics) == (True, {"turns": 2, "tool_calls": 2})


def python(code: str) -> list[str]:
    return [sys.executable, "-u", "-c", code]


async def test_a_read_that_is_given_up_takes_no_line_with_it() -> None:
    process = HarnessProcess(python("import sys\nfor line in sys.stdin: print(line.strip())"), ".")
    await process.start()
    try:
        reading = asyncio.create_task(process.read_line())
        await asyncio.sleep(0)
        reading.cancel()
        await process.write_line("kept")
        assert await process.read_line(30) == "kept"
    finally:
        await process.stop()


def test_a_process_serves_one_event_loop_after_another() -> None:
    process = HarnessProcess(python("import sys\nfor line in sys.stdin: print(line.strip())"), ".")
    asyncio.run(process.start())
    try:
        for word in ("one", "two"):
            asyncio.run(process.write_line(word))
            assert asyncio.run(process.read_line(30)) == word
    finally:
        asyncio.run(process.stop())


HELD = "import socket; held = socket.create_connection(('127.0.0.1', {port})); held.recv(1)"
PARENT = "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {child!r}])\nprint('started')\n"


@pytest.mark.skipif(sys.platform == "win32", reason="groups of processes are POSIX's")
@pytest.mark.parametrize("ending", ["input()", "sys.exit(3)"])
async def test_what_a_process_started_ends_with_it(ending: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        child = HELD.format(port=listener.getsockname()[1])
        process = HarnessProcess(python(PARENT.format(child=child) + ending), ".")
        await process.start(lambda line: line == "started")
        held, _ = listener.accept()
        await process.stop()
        with held:
            held.settimeout(30)
            assert held.recv(1) == b""


async def test_a_process_that_reads_nothing_and_complains_a_lot_can_be_stopped() -> None:
    complaining = (
        "import sys, time\nfor n in range(20000): print('e' * 100, n, file=sys.stderr)\nprint('done')\ntime.sleep(600)"
    )
    process = HarnessProcess(python(complaining), ".")
    await process.start(lambda line: line == "done")
    wait_until(lambda: process.drain_stderr().endswith(" 19999\n"))
    assert len(process.drain_stderr().splitlines()) == 50
    writing = asyncio.create_task(process.write_line("x" * 10_000_000))
    await asyncio.sleep(0.05)
    await process.stop()
    with pytest.raises(HarnessNotRunningError):
        await writing


async def test_the_bridge_serves_tools_to_the_official_client_and_nothing_else() -> None:
    bridge = HarnessMCPBridge(await build_bridge_server(kit(), {"env_add": "add"}))
    url = bridge.start()
    try:
        async with SdkClient(url) as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == ["env_add"]
            assert (await client.call_tool("env_add", {"a": 2})).structured_content == {"result": 3}
            for name in ("add", "reset"):
                assert (await client.call_tool(name, {"a": 2})).is_error
            await asyncio.to_thread(bridge.stop)
    except* Exception:
        assert bridge.url is None, "only the end of the bridge may disturb the client"
    assert bridge.url is None
    again = bridge.start()
    async with SdkClient(again) as client:
        assert len((await client.list_tools()).tools) == 1
    bridge.stop()


class TalkEnv(EnvClient[HarnessAction, Observation, State]):
    pass


def test_an_agent_plays_on_a_server_and_its_crash_is_no_reward() -> None:
    with running(create_app(Talk)) as url, TalkEnv(base_url=url).sync() as env, env.new_session() as other:
        assert env.reset(episode_id="e").observation.metadata["injected_tools"] == ["env_add"]
        other.reset()
        result = env.step(HarnessAction(message='call env_add {"a": 4}'))
        assert result.observation.metadata["turn_events"][0]["data"]["told"] == {"result": 5}
        assert (result.reward, result.done) == (0.0, False)
        assert env.step(HarnessAction(message="please")).reward == 1.0
        with pytest.raises(ExecutionError, match="out of luck"):
            env.step(HarnessAction(message="crash"))
        with pytest.raises(ExecutionError, match="reset"):
            env.step(HarnessAction(message="still there?"))
        assert other.step(HarnessAction(message="goodbye please")).done
        env.reset()
        assert env.step(HarnessAction(message="hello")).observation.metadata["response"] == "1: hello"
        assert env.state().step_count == 1


async def test_a_turn_that_takes_too_long_or_is_given_up_ends_the_harness() -> None:
    adapter = ProcessAdapter()
    env = HarnessEnvironment(adapter)
    await env.reset_async()
    with pytest.raises(HarnessTurnTimeoutError, match=r"longer than 0\.2 s"):
        await env.step_async(HarnessAction(message="hang"), timeout_s=0.2)
    assert adapter.process is not None
    assert not adapter.process.is_running()
    assert [event.type for event in env.trajectory] == ["error"]

    await env.reset_async()
    turn = asyncio.create_task(env.step_async(HarnessAction(message="hang")))
    while "waiting" not in adapter.process.drain_stderr():
        await asyncio.sleep(0.01)
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn
    with pytest.raises(HarnessNotRunningError):
        await env.step_async(HarnessAction(message="hello"))
    assert not adapter.process.is_running()
    await env.close()


def test_blocking_calls_and_the_end_of_an_episode() -> None:
    adapter = ProcessAdapter()
    env = HarnessEnvironment(adapter, mcp=kit())
    env.reset()
    assert env.step(HarnessAction(message="goodbye")).done
    with pytest.raises(HarnessNotRunningError, match="reset"):
        env.step(HarnessAction(message="hello"))
    assert env.step(CallToolAction(tool_name="add", arguments={"a": 1})).result.data == 2  # type: ignore[attr-defined]
    env.close()
    assert adapter.process is not None
    assert not adapter.process.is_running()
    with pytest.raises(UsageError, match="FastMCP"):
        HarnessEnvironment(ProcessAdapter(), mcp=[len])


WITHOUT_MCP = """
import sys
import openenv.core.harness as harness
assert not {"fastmcp", "mcp", "uvicorn", "fastapi", "httpx"} & sys.modules.keys()
sys.modules["fastmcp"] = None
try:
    harness.HarnessMCPBridge(object()).start()
except ValueError as error:
    print(error)
"""


def test_the_mcp_library_is_asked_for_where_it_is_needed() -> None:
    done = subprocess.run([sys.executable, "-W", "error", "-c", WITHOUT_MCP], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == (
        "a FastMCP server needs the MCP library: pip install 'openenv-core[mcp]'\n",
        "",
    )
    clients = "import sys, openenv, echo_env; print([name for name in sys.modules if name.startswith('openenv.rollout')])"
    assert subprocess.check_output([sys.executable, "-c", clients], text=True) == "[]\n"
