"""An environment made of tools, used in the process of whoever built it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field
from toolboxes import Bump, Kit, Served

from openenv import CompositeTransform, State, Transform
from openenv.contract.tools import CallToolAction, CallToolObservation, ListToolsAction, ListToolsObservation, ToolErrorType
from openenv.errors import UsageError
from openenv.mcp import MCPEnvironment


@pytest.fixture(params=[Kit, Served])
def kit(request: pytest.FixtureRequest) -> Iterator[Kit]:
    environment: Kit = request.param()
    environment.reset()
    yield environment
    environment.close()


def call(environment: MCPEnvironment[Any, Any, Any], name: str, timeout_s: float | None = None, **arguments: Any) -> Any:
    return environment.step(CallToolAction(tool_name=name, arguments=arguments), timeout_s=timeout_s)


def test_steps_list_and_call(kit: Kit) -> None:
    listed = kit.step(ListToolsAction())
    assert isinstance(listed, ListToolsObservation)
    (add,) = [tool for tool in listed.tools if tool.name == "add"]
    assert add.description == "Add two numbers."
    assert add.input_schema == {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer", "default": 1}},
        "required": ["a"],
        "additionalProperties": False,
    }
    observation = call(kit, "add", a=2, b=3)
    assert isinstance(observation, CallToolObservation)
    assert (observation.tool_name, observation.result.data, observation.error) == ("add", 5, None)
    assert observation.result.structured_content == {"result": 5}
    assert observation.result.content[0]["text"] == "5"
    assert (observation.reward, observation.done) == (None, False)
    assert kit.step(Bump(by=2)).reward == 2.0


@pytest.mark.parametrize(
    ("name", "arguments", "kind"),
    [
        ("nothing", {}, ToolErrorType.TOOL_NOT_FOUND),
        ("reset", {}, ToolErrorType.TOOL_NOT_FOUND),
        ("add", {"a": "one"}, ToolErrorType.INVALID_ARGS),
        ("add", {}, ToolErrorType.INVALID_ARGS),
        ("add", {"a": 1, "c": 2}, ToolErrorType.INVALID_ARGS),
        ("fail", {"why": "bad luck"}, ToolErrorType.EXECUTION_ERROR),
    ],
)
def test_what_goes_wrong_is_an_error_and_no_reward(kit: Kit, name: str, arguments: dict[str, Any], kind: ToolErrorType) -> None:
    observation = call(kit, name, **arguments)
    assert observation.error.error_type == kind
    assert observation.error.message
    assert (observation.result, observation.reward, observation.done) == (None, None, False)
    assert call(kit, "add", a=1).result.data == 2


def test_a_tool_that_waits_too_long_is_given_up(kit: Kit) -> None:
    assert call(kit, "doze", timeout_s=0.05, seconds=30).error.error_type == ToolErrorType.TIMEOUT
    assert call(kit, "doze", timeout_s=30, seconds=0.01).result.data == "dozed"


async def test_a_running_loop_is_no_obstacle(kit: Kit) -> None:
    assert call(kit, "doze", seconds=0.01).result.data == "dozed"
    nap = asyncio.create_task(kit.step_async(CallToolAction(tool_name="nap", arguments={"seconds": 0.3})))
    ticks = 0
    while not nap.done():
        await asyncio.sleep(0.02)
        ticks += 1
    assert (await nap).result.data == "rested"
    assert ticks > 5
    assert (await kit.step_async(CallToolAction(tool_name="fail", arguments={"why": "x"}))).error is not None
    assert isinstance(await kit.step_async(ListToolsAction()), ListToolsObservation)


async def test_a_session_of_the_library_reaches_the_same_server() -> None:
    kit = Served()
    async with kit.mcp_session() as session:
        assert (await session.call_tool("add", {"a": 1, "b": 1})).data == 2
        assert (await kit.mcp_client.call_tool("count")).data == {"count": 1}
    kit.close()


@pytest.mark.parametrize("kind", [Kit, Served])
def test_code_of_the_published_package_reads_what_tools_give(kind: type[Kit]) -> None:
    """Blocks of content by attribute, and in code mode the tool's own exceptions."""
    kit = kind()
    result = kit.step(CallToolAction(tool_name="add", arguments={"a": 1})).result
    assert (result.content[0].text, result.content[0]["text"], hasattr(result.content[0], "data")) == ("2", "2", False)
    with pytest.raises(RuntimeError, match=r"^bad luck$"):
        kit.get_callables()["fail"]("bad luck")
    assert kit.execute_code("fail('bad luck')").metadata == {"error": "bad luck"}
    kit.close()


def test_reserved_names_are_refused_however_they_come() -> None:
    from fastmcp import FastMCP

    def reset() -> None: ...
    def step(action: str) -> None: ...

    server = FastMCP("late")

    class Bare(Kit):
        def __init__(self, source: Any) -> None:
            MCPEnvironment.__init__(self, source)

    with pytest.raises(ValueError, match="reset"):
        Bare([reset])
    environment = Bare(server)
    with pytest.raises(ValueError, match="step"):
        environment.tool()(step)
    with pytest.raises(ValueError, match="'rehearsal'"):
        environment.tool(mode="rehearsal")
    server.tool(reset)
    with pytest.raises(ValueError, match="reset"):
        environment.step(ListToolsAction())
    assert call(environment, "reset").error.error_type == ToolErrorType.TOOL_NOT_FOUND
    environment.close()
    with pytest.raises(ValueError, match="reset"):
        Bare(server)
    with pytest.raises(UsageError, match="FastMCP server or from a list"):
        Bare(7)


class Point(BaseModel):
    x: int
    y: int = 0


class Typed(Kit):
    def __init__(self) -> None:
        MCPEnvironment.__init__(self, [self.far, self.odd_names, self.nothing, self.unsendable])

    def far(self, point: Point, factor: Annotated[float, Field(gt=0, description="How far")] = 2.0) -> list[Point]:
        """Take models and give them."""
        return [Point(x=int(point.x * factor), y=point.y)]

    def odd_names(self, schema: str, model_config: int = 1, _hidden: int = 2) -> list[Any]:
        return [schema, model_config, _hidden]

    def nothing(self) -> None: ...

    def unsendable(self) -> Any:
        return object()


def test_hints_make_the_schema_and_check_the_arguments() -> None:
    kit = Typed()
    far = {tool.name: tool for tool in kit.step(ListToolsAction()).tools}["far"].input_schema
    assert far["properties"]["factor"] == {"type": "number", "default": 2.0, "exclusiveMinimum": 0, "description": "How far"}
    assert call(kit, "far", point={"x": 3}).result.data == [{"x": 6, "y": 0}]
    assert call(kit, "far", point={"x": 3}, factor=-1).error.error_type == ToolErrorType.INVALID_ARGS
    assert call(kit, "odd_names", schema="s", _hidden=5).result.data == ["s", 1, 5]
    assert call(kit, "nothing").result.data is None
    assert "cannot be sent" in call(kit, "unsendable").error.message

    def sum_up(*values: int) -> int:
        return sum(values)

    with pytest.raises(ValueError, match="all have names"):
        kit.tool()(sum_up)
    with pytest.raises(ValueError, match="needs a name"):
        kit.tool()(lambda: None)


def test_code_calls_tools_as_functions(kit: Kit) -> None:
    assert kit.supports_code_mode
    assert kit.execute_code("result = [add(a=i) + add(1, 2) for i in range(3)]").metadata == {"result": [4, 5, 6]}
    assert kit.execute_code("result = doze(0.01)").metadata == {"result": "dozed"}
    assert kit.execute_code("add(1)").metadata == {"result": None}
    for code, told in (("1/0", "division"), ("def f(:", "Syntax error"), ("fail('bad luck')", "bad luck"), ("exit()", "")):
        observation = kit.execute_code(code)
        assert told in observation.metadata["error"]
        assert observation.reward is None
    assert {"add", "count"} <= kit.get_callables().keys()
    assert "reset" not in kit.get_callables()


def test_a_transform_sees_what_tools_give() -> None:
    class Stamp(Transform[CallToolObservation]):
        def __call__(self, observation: CallToolObservation) -> CallToolObservation:
            observation.metadata["seen"] = True
            return observation

    class Stamped(Kit):
        def __init__(self) -> None:
            super().__init__()
            self.transform = CompositeTransform([Stamp()])

    assert call(Stamped(), "add", a=1).metadata == {"seen": True}


def test_closing_leaves_no_thread_behind(kit: Kit) -> None:
    call(kit, "doze", seconds=0.01)
    assert "openenv-tools" in {thread.name for thread in threading.enumerate()}
    kit.close()
    kit.close()
    assert "openenv-tools" not in {thread.name for thread in threading.enumerate()}
    assert isinstance(kit.state, State)
