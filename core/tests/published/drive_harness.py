"""Run by the published package's python, and by this project's: drives harnesses and prints as JSON what it saw."""

import asyncio
import inspect
import json
import sys
import warnings
from dataclasses import asdict

from openenv.core.client_types import StepResult
from openenv.core.env_server.mcp_types import CallToolAction, ListToolsAction, Tool
from openenv.core.env_server.types import Observation
from openenv.core.harness import (
    AgenticHarnessAdapter,
    CLIHarnessAdapter,
    HarnessAction,
    HarnessConfig,
    HarnessEnvironment,
    HarnessEvent,
    HarnessMCPBridge,
    HarnessProcess,
    HarnessRolloutResult,
    HarnessRunLimits,
    MCPHarnessAdapter,
    ModelStepResult,
    ResourceSession,
    ResourceSessionFactory,
    SessionMCPBridge,
    StepEnvSessionAdapter,
    ToolResult,
    TrainingTrace,
    TrainingTurn,
    VerifyResult,
    build_bridge_server,
    build_harness_rollout_func,
    events_to_metadata,
    resolve_tool_conflicts,
)
from openenv.core.llm_client import LLMResponse, ToolCall
from openenv.core.rubrics import Rubric

warnings.simplefilter("ignore")
SEEN = {}
NAMES = (
    *("HarnessStartupError", "HarnessNotRunningError", "HarnessTurnTimeoutError", "HarnessError"),
    *("KeyError", "ValueError", "TypeError", "NotImplementedError", "OSError", "RuntimeError"),
)


def failure(error):
    ancestors = [cls.__name__ for cls in type(error).__mro__]
    return {"raised": next((name for name in NAMES if name in ancestors), type(error).__name__)}


def see(label, call):
    try:
        SEEN[label] = call()
    except Exception as error:
        SEEN[label] = failure(error)


async def seen(label, awaitable):
    try:
        SEEN[label] = await awaitable
    except Exception as error:
        SEEN[label] = failure(error)


# Sessions and runs of a model


def tool(name):
    return Tool(name=name, description=f"what {name} does", input_schema={"type": "object"})


GIVEN = {"end": ToolResult(data={"x": 1}, done=True, metadata={"n": 1}), "text": ToolResult(data="é"), "none": ToolResult()}


class Session(ResourceSession):
    def __init__(self, reward=0.5):
        self.closed, self.reward = 0, reward

    def initial_messages(self):
        return [{"role": "user", "content": "go"}]

    def list_tools(self):
        return [tool("add"), tool("end")]

    def call_tool(self, name, arguments):
        if name == "fail":
            raise RuntimeError("bad luck")
        return GIVEN.get(name) or ToolResult(data={"b": "é", "a": [1, None, True]})

    def verify(self, transcript, final_state=None):
        return VerifyResult(env_reward=self.reward, metrics={"told": final_state, "length": len(transcript)})

    def close(self):
        self.closed += 1


def answer(text, *tools):
    calls = [ToolCall(id=f"c{n}", name=name, args={"n": n}) for n, name in enumerate(tools)]
    return ModelStepResult(LLMResponse(content=text, tool_calls=calls), prompt_ids=[1, 2], completion_ids=[3], logprobs=[-0.5])


def model(*answers):
    left = list(answers)

    def step(messages, tools, sampling):
        given = left.pop(0)
        if isinstance(given, Exception):
            raise given
        return given

    return step


def white_box(*answers, **limits):
    return lambda: asdict(MCPHarnessAdapter().run_white_box(model(*answers), Session(), HarnessRunLimits(**limits)))


def white_box_runs():
    see("white box: no tools", white_box(answer("hello")))
    see("white box: tools", white_box(answer("a", "add", "text"), answer("b", "none"), answer("bye")))
    see("white box: ended by a tool", white_box(answer("a", "end", "add"), answer("bye")))
    see("white box: turns", white_box(*[answer("", "add")] * 5, max_turns=2))
    see("white box: no turns", white_box(answer("a"), max_turns=0))
    see("white box: calls a turn", white_box(answer("", "add", "text", "add"), answer("bye"), max_tool_calls_per_turn=2))
    see("white box: no calls a turn", white_box(answer("", "add"), answer("bye"), max_tool_calls_per_turn=0))
    see("white box: just as many calls", white_box(answer("", "add", "add"), answer("bye"), max_total_tool_calls=2))
    see("white box: calls", white_box(*[answer("", "add", "add")] * 3, max_total_tool_calls=3))
    see("white box: the tool raises", white_box(answer("", "fail"), answer("bye")))
    see("white box: the model raises", white_box(answer("", "add"), ValueError("no answer")))
    see("white box: is no black box", lambda: MCPHarnessAdapter().run_black_box(Session()))
    see("black box: is no white box", lambda: CLIHarnessAdapter(lambda *_: None).run_white_box(model(), Session()))

    def runner(bridge, session, limits):
        called = bridge.handle_request({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "add"}})
        return HarnessRolloutResult(metrics={"called": called, "limits": asdict(limits)})

    see("black box", lambda: asdict(CLIHarnessAdapter(runner).run_black_box(Session())))


def requests():
    def rpc(method, **params):
        return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}

    bridge = SessionMCPBridge(Session())
    for request in [
        rpc("tools/list"),
        {"jsonrpc": "2.0", "method": "tools/list", "more": 1},
        {"jsonrpc": "2.0", "id": "x", "method": "tools/list", "params": []},
        rpc("tools/call", name="add", arguments={"n": 1}),
        rpc("tools/call", name="end"),
        rpc("tools/call", name="fail", arguments={}),
        rpc("tools/call", name="add", arguments=[1]),
        rpc("tools/call"),
        rpc("tools/call", name="reset"),
        rpc("initialize"),
        rpc("reset"),
        {"jsonrpc": "2.0", "id": 1},
        {"jsonrpc": "1.0", "id": 1, "method": "tools/list"},
        {"id": 3, "method": "tools/list"},
        {},
    ]:
        reply = bridge.handle_request(request)
        if "error" in reply:
            reply["error"].pop("message")
        SEEN[f"request {json.dumps(request)}"] = reply


# An environment behind a client


class Seen(Observation):
    text: str = ""


class Client:
    def __init__(self, *rewards, fail=""):
        self.log, self.rewards, self.fail = [], list(rewards), fail

    def reset(self, **options):
        self.log.append(["reset", options])
        if self.fail == "reset":
            raise RuntimeError("no reset")
        return StepResult(observation=Seen(text="start"), reward=None, done=False)

    def step(self, action):
        self.log.append(["step", action])
        reward = self.rewards.pop(0)
        return StepResult(observation=Seen(text="seen"), reward=reward, done=not self.rewards)

    def state(self):
        return {"steps": len(self.log)}

    def close(self):
        self.log.append(["close"])


def client_session(client, **options):
    return StepEnvSessionAdapter(
        client,
        tool_specs=[tool("add")],
        action_builder=lambda name, arguments: [name, arguments],
        initial_messages_builder=lambda result, task: [{"role": "user", "content": f"{result.observation.text} {task}"}],
        **options,
    )


def told(result):
    data = {**result.data, "observation": result.data["observation"].text}
    return {**vars(result), "data": data}


def client_sessions():
    client = Client(1.0, 2.0)
    session = client_session(client, task="T", seed=3, episode_id="e", reset_kwargs={"k": 1})
    see("session: messages", session.initial_messages)
    see("session: before the first step", lambda: asdict(session.verify([])))
    see("session: a step", lambda: told(session.call_tool("add", {"n": 1})))
    see("session: no such tool", lambda: session.call_tool("nothing", {}))
    see("session: reset is no tool", lambda: session.call_tool("reset", {}))
    see("session: the last step", lambda: told(session.call_tool("add", {"n": 2})))
    see("session: verified", lambda: asdict(session.verify([{"role": "user"}])))
    session.close()
    session.close()
    SEEN["session: calls of the client"] = client.log

    client = Client(fail="reset")
    see("session: no reset", lambda: client_session(client))
    SEEN["session: closed without a reset"] = client.log
    client = Client()
    client_session(client, seed=1, reset_kwargs={"seed": 2})
    SEEN["session: arguments of the reset win"] = client.log
    see(
        "session: reserved name",
        lambda: StepEnvSessionAdapter(Client(), tool_specs=[tool("reset")], action_builder=None, initial_messages_builder=None),
    )
    session = client_session(
        Client(1.0),
        tool_result_builder=lambda name, arguments, result, state: ToolResult(data=[name, arguments, result.reward, state]),
        verify_builder=lambda transcript, final, last, state: VerifyResult(
            env_reward=7.0, metrics={"all": [transcript, final]}
        ),
    )
    see("session: own result", lambda: asdict(session.call_tool("add", {})))
    see("session: own score", lambda: asdict(session.verify([1], "end")))


def rollouts():
    class Factory(ResourceSessionFactory):
        def __init__(self, reward=0.5):
            self.made, self.asked, self.reward = [], [], reward

        def create(self, task, seed=None, episode_id=None):
            self.asked.append([task, seed, episode_id])
            self.made.append(Session(self.reward))
            return self.made[-1]

    def rollout(label, factory, builder, **options):
        play = build_harness_rollout_func(
            session_factory=factory, harness_adapter=MCPHarnessAdapter(), model_step_builder=builder, **options
        )
        see(f"rollout: {label}", lambda: play(["p", {"prompt": "q"}], "trainer"))
        SEEN[f"rollout: {label}: sessions"] = [factory.asked, [session.closed for session in factory.made]]

    rollout("two", Factory(), lambda trainer, session: model(answer(trainer, "add"), answer("bye")))
    rollout("other key", Factory(), lambda trainer, session: model(answer("bye")), reward_key="score")
    rollout("limits", Factory(), lambda trainer, session: model(answer("", "add")), limits=HarnessRunLimits(max_turns=1))
    rollout("no reward", Factory(None), lambda trainer, session: model(answer("bye")))
    rollout("the model raises", Factory(), lambda trainer, session: model(KeyError("x")))
    rollout("no model", Factory(), lambda trainer, session: {}["x"])


# Traces, names, events


def traces():
    def turn(**changes):
        fields = {
            "node_id": "n",
            "prompt_token_ids": [1, 2],
            "completion_token_ids": [3, 4],
            "per_token_logps": [-1.0, 0.0],
            "loss_mask": [0, 0, 1, 0],
        }
        return TrainingTurn(**{**fields, **changes})

    for changes in [
        {},
        {"node_id": ""},
        {"prompt_token_ids": [], "loss_mask": [1, 1]},
        {"prompt_token_ids": [-1, 2]},
        {"prompt_token_ids": [True, 2]},
        {"completion_token_ids": [], "per_token_logps": [], "loss_mask": [0, 0]},
        {"completion_token_ids": [3]},
        {"per_token_logps": [-1.0]},
        {"per_token_logps": [0.5, -1.0]},
        {"per_token_logps": [float("nan"), -1.0]},
        {"loss_mask": [0, 0, 2, 1]},
        {"loss_mask": [1, 0, 1, 1]},
        {"loss_mask": [1, 1]},
        {"colour": "red"},
    ]:
        see(f"turn {changes}", lambda changes=changes: turn(**changes).model_dump())
    trace = TrainingTrace(turns=[turn(metadata={"m": 1}, request={"a": 1}), turn(node_id="o")])
    see("trace: entries", trace.to_trace_entries)
    see("trace: there and back", lambda: TrainingTrace.from_entries(trace.to_trace_entries()).model_dump())
    see("trace: twice", lambda: TrainingTrace(turns=[turn(), turn()]))
    see("trace: no mask", lambda: TrainingTrace.from_entries([{"metadata": {"node_id": "n"}}]))
    see("trace: version", lambda: TrainingTrace(turns=[], schema_version=2))


def names_of(tools):
    return [found.name for found in tools]


def names_and_events():
    for names, taken in [("ab", "a"), ("ab", "ab"), ("aa", ""), (["a", "env_a"], "a"), ("a", ["a", "env_a"]), ("", "a")]:
        tools = [tool(name) for name in names]
        see(f"names {names} {taken}", lambda tools=tools, taken=taken: names_of(resolve_tool_conflicts(tools, taken)))
    see("names: own prefix", lambda: resolve_tool_conflicts([tool("a")], {"a"}, "x_")[0].name)
    see("events", lambda: events_to_metadata([event("tool_call", values=(1, 2)), event("error")]))
    see("config", lambda: HarnessConfig(name="n", command=["c"]).model_dump())
    see("config: no command", lambda: HarnessConfig(name="n", command=[]))


# A process


def python(code):
    return [sys.executable, "-u", "-c", code]


ECHO = "import sys\nprint('ready')\nprint('warned', file=sys.stderr)\nfor line in sys.stdin: print('got ' + line.strip())"
STUBBORN = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('r')\nwhile True: time.sleep(1)"


async def processes():
    process = HarnessProcess(python(ECHO), "/")
    await seen("process: write before start", process.write_line("x"))
    await seen("process: stop before start", process.stop())
    await seen("process: start", process.start())
    await seen("process: read", process.read_line(30))
    await seen("process: started twice", process.start())
    await process.write_line("a\nb")
    await seen("process: answers", process.read_line(30))
    await seen("process: answers twice", process.read_line(30))
    await seen("process: nothing to read", process.read_line(0.05))
    SEEN["process: running"] = process.is_running()
    await process.stop()
    SEEN["process: stopped"] = [process.is_running(), process.drain_stderr(), process.drain_stderr()]
    await seen("process: read after stop", process.read_line(1))
    await seen("process: write after stop", process.write_line("x"))
    await seen("process: start again", process.start(lambda line: line == "ready"))
    await seen("process: ready line is gone", process.read_line(0.05))
    await process.stop()
    for label, code, check in [
        ("dies", "import sys; sys.exit(3)", lambda line: True),
        ("never ready", "import time; print('x'); time.sleep(60)", lambda line: False),
    ]:
        process = HarnessProcess(python(code), "/", startup_timeout_s=3 if label == "dies" else 0.3)
        await seen(f"process: {label}", process.start(check))
        SEEN[f"process: {label}: running"] = process.is_running()
    process = HarnessProcess(python("print('out')"), "/")
    await process.start()
    SEEN["process: to the end"] = [await process.read_line(30), await process.read_line(30)]
    await process.stop()
    process = HarnessProcess(python(STUBBORN), "/", terminate_grace_s=0.2)
    await process.start(lambda line: line == "r")
    await process.stop()
    SEEN["process: stubborn"] = process.is_running()
    await seen("process: no such program", HarnessProcess(["/nothing/here"], "/").start())
    process = HarnessProcess(python("import os; print(os.environ['COLOUR'], os.getcwd())"), "/usr", {"COLOUR": "red"})
    await process.start()
    await seen("process: environment", process.read_line(30))
    await process.stop()


# An environment with a harness


def event(kind, **data):
    return HarnessEvent(type=kind, timestamp=1.0, data=data)


def end(response, **data):
    return event("turn_complete", response=response, **data)


class Adapter(AgenticHarnessAdapter):
    BUILTIN_TOOL_NAMES = frozenset({"add"})

    def __init__(self, *turns, fail="", **config):
        super().__init__(HarnessConfig(**{"name": "n", "command": ["c"], "working_directory": "/", **config}))
        self.turns, self.log, self.fail, self.url = list(turns), [], fail, None

    def called(self, *what):
        self.log.append(what)
        if self.fail == what[0]:
            raise RuntimeError(f"no {what[0]}")

    async def start(self, working_directory):
        self.called("start", working_directory)

    async def stop(self):
        self.log.append(["stop"])

    async def inject_tools(self, tools, bridge_url=None):
        self.url = bridge_url
        self.called("inject", names_of(tools), bridge_url is not None)

    async def is_alive(self):
        return self.fail != "alive"

    async def send_message_streaming(self, message):
        self.called("say", message)
        for found in self.turns.pop(0):
            if found == "wait":
                await asyncio.sleep(60)
            if found == "tools":
                found = event("tool_result", told=await over_mcp(self.url))
            yield found


def kit():
    from fastmcp import FastMCP

    server = FastMCP("kit")

    @server.tool
    def add(a: int) -> int:
        """Add one."""
        return a + 1

    @server.tool
    def other() -> str:
        return "other"

    return server


async def over_mcp(server):
    from fastmcp import Client as McpClient

    async with McpClient(server) as client:
        names = sorted(found.name for found in await client.list_tools())
        return [names, (await client.call_tool("env_add" if "env_add" in names else "add", {"a": 1})).data]


class Length(Rubric):
    def forward(self, action, observation):
        return float(len(action.message + observation.metadata["response"]))


async def environments():
    adapter = Adapter([event("text_output", text="a"), end("one")], ["tools", end("two", done=True)])
    env = HarnessEnvironment(adapter, mcp=kit(), rubric=Length())
    await seen("environment: no episode", env.step_async(HarnessAction(message="m")))
    SEEN["environment: reset"] = (await env.reset_async(seed=1, episode_id="e", colour="red")).metadata
    for label in ("first", "second"):
        observation = await env.step_async(HarnessAction(message="hello"))
        metadata = {name: observation.metadata[name] for name in ("response", "turn_events", "turn_number")}
        SEEN[f"environment: {label}"] = [observation.reward, observation.done, metadata]
    SEEN["environment: state"] = env.state.model_dump()
    SEEN["environment: trajectory"] = events_to_metadata(env.trajectory)
    SEEN["environment: tools"] = [found.name for found in (await env.step_async(ListToolsAction())).tools]
    called = await env.step_async(CallToolAction(tool_name="add", arguments={"a": 4}))
    SEEN["environment: a tool"] = [called.result.data, called.error]
    closing = env.close()
    if inspect.isawaitable(closing):
        await closing
    SEEN["environment: calls of the adapter"] = adapter.log

    for fail in ("start", "inject"):
        adapter = Adapter(fail=fail)
        env = HarnessEnvironment(adapter)
        await seen(f"environment: no {fail}", env.reset_async())
        await seen(f"environment: no {fail}: step", env.step_async(HarnessAction(message="m")))
        SEEN[f"environment: no {fail}: calls"] = adapter.log[-2:]
    for label, adapter in [
        ("crash", Adapter(fail="say")),
        ("no end", Adapter([event("text_output", text="a")])),
        ("too long", Adapter(["wait"], session_timeout_s=0.1)),
        ("not alive", Adapter(fail="alive")),
    ]:
        env = HarnessEnvironment(adapter)
        await env.reset_async()
        try:
            observation = await env.step_async(HarnessAction(message="m"))
            SEEN[f"environment: {label}"] = {"reward": observation.reward, "done": observation.done}
        except Exception as error:
            SEEN[f"environment: {label}"] = failure(error)
        SEEN[f"environment: {label}: afterwards"] = [env.state.step_count, adapter.log[-1]]
        await seen(f"environment: {label}: next step", env.step_async(HarnessAction(message="m")))


def environment_without_a_loop():
    env = HarnessEnvironment(Adapter([end("one")]))
    env.reset(episode_id="e")
    observation = env.step(HarnessAction(message="m"))
    SEEN["environment: blocking"] = [
        observation.reward,
        observation.done,
        observation.metadata["response"],
        env.state.step_count,
    ]
    env.close()
    env.close()


def bridges():
    def renamed(renames):
        return lambda: asyncio.run(over_mcp(asyncio.run(build_bridge_server(kit(), renames))))

    see("bridge: renamed", renamed({"env_add": "add"}))
    see("bridge: as it is", renamed({}))
    see("bridge: no such tool", renamed({"x": "nothing"}))
    bridge = HarnessMCPBridge(kit())
    SEEN["bridge: not yet"] = bridge.url
    url = bridge.start()
    SEEN["bridge: served"] = [bridge.start() == url, bridge.url == url, asyncio.run(over_mcp(url))]
    bridge.stop()
    bridge.stop()
    SEEN["bridge: not any more"] = bridge.url


white_box_runs()
requests()
client_sessions()
rollouts()
traces()
names_and_events()
asyncio.run(processes())
asyncio.run(environments())
environment_without_a_loop()
bridges()
print(json.dumps(SEEN, default=str))
