"""The playground: one episode played by hand, on a page and beside it."""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pydantic import Field
from serving import running
from websockets.sync.client import connect

from openenv import Action, Environment, Observation, State
from openenv.core.env_server.web_interface import (
    WebInterfaceManager,
    create_web_interface_app,
    get_gradio_display_title,
    get_quick_start_markdown,
    load_environment_metadata,
)
from openenv.errors import ExecutionError, InvalidActionError, MissingExtra, UnknownMessageTypeError
from openenv.server import create_app


@pytest.fixture
def gradio() -> Iterator[Any]:
    """Gradio; the event loops that it leaves open are closed before the next test."""
    before = {id(loop) for loop in idle_loops()}
    yield pytest.importorskip("gradio")
    for loop in idle_loops():
        if id(loop) not in before:
            loop.close()
    gc.collect()


def idle_loops() -> list[asyncio.AbstractEventLoop]:
    """Return the event loops that are open and do not run."""
    loops: list[Any] = [found for found in gc.get_objects() if issubclass(type(found), asyncio.AbstractEventLoop)]
    return [loop for loop in loops if not loop.is_running() and not loop.is_closed()]


def with_gradio(test: Any) -> Any:
    """Pass over what Gradio itself does not close, and what it still uses of pandas."""
    for ignored in (
        "ignore:Exception ignored in. <(socket.socket|function BaseEventLoop)",
        "ignore:unclosed (event loop|<socket)",
        "ignore:.*no_silent_downcasting",
    ):
        test = pytest.mark.filterwarnings(ignored)(test)
    return pytest.mark.usefixtures("gradio")(test)


class Stride(Action):
    by: int = Field(description="How far", ge=0, le=9)
    over: list[int] = Field(default_factory=list)


class Place(Observation):
    at: int


class Walk(Environment[Stride, Place, State]):
    """A walk along a line."""

    def __init__(self) -> None:
        super().__init__()
        self._at, self._steps, self._name = 0, 0, "none"

    def reset(self, seed: int | None = None, episode_id: str | None = None, start: int = 0) -> Place:
        self._at, self._steps, self._name = start, 0, episode_id or "walk"
        return Place(at=self._at)

    def step(self, action: Stride, timeout_s: float | None = None) -> Place:
        if action.by == 9:
            raise ValueError("too far for one stride")
        self._at += action.by + sum(action.over)
        self._steps += 1
        return Place(at=self._at, reward=1.0)

    @property
    def state(self) -> State:
        return State(episode_id=self._name, step_count=self._steps)

    def render_web(self, observation: dict[str, Any]) -> str | None:
        return f"<b>at {observation['at']}, reward {observation['reward']}</b>"

    def web_actions(self, observation: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        return [("one on", {"by": 1})]


class Watching:
    """A WebSocket as seen from the server; `gone`: sending fails."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.gone = False

    async def accept(self) -> None:
        self.told.clear()

    async def send_text(self, text: str) -> None:
        if self.gone:
            raise RuntimeError("the peer has left")
        self.told.append(json.loads(text))


async def test_an_episode_is_played_logged_and_watched() -> None:
    manager = WebInterfaceManager(Walk(), Stride, Place)
    watching, leaving = Watching(), Watching()
    await manager.connect_websocket(watching)
    await manager.connect_websocket(leaving)
    assert watching.told[0]["episode_state"] == {
        "episode_id": None,
        "step_count": 0,
        "current_observation": None,
        "action_logs": [],
        "is_reset": True,
    }
    assert await manager.reset_environment({"start": 3}) == {
        "observation": {"at": 3, "metadata": {}},
        "reward": None,
        "done": False,
    }
    leaving.gone = True
    reply = await manager.step_environment({"by": 1, "over": "[2, 3]"})
    assert (reply["observation"]["at"], reply["reward"]) == (9, 1.0)
    assert manager.connected_clients == [watching]
    assert manager.get_state() == {"episode_id": "walk", "step_count": 1}
    assert (manager.drawing, manager.suggestions) == ("<b>at 9, reward 1.0</b>", [("one on", {"by": 1})])
    told = watching.told[-1]
    (logged,) = told["episode_state"]["action_logs"]
    assert (told["type"], told["episode_state"]["is_reset"], logged["action"]) == (
        "state_update",
        False,
        {"by": 1, "over": [2, 3]},
    )
    for wrong, kind in (({"by": "far"}, InvalidActionError), ({}, InvalidActionError), ({"by": 9}, ExecutionError)):
        with pytest.raises(kind):
            await manager.step_environment(wrong)
    assert (len(watching.told), len(manager.episode_state.action_logs)) == (3, 1)


def test_the_log_keeps_the_last_steps_and_a_manager_works_from_any_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WebInterfaceManager, "MAX_ACTION_LOGS", 3)
    manager = WebInterfaceManager(Walk(), Stride, Place)
    asyncio.run(manager.reset_environment())
    for _ in range(5):
        asyncio.run(manager.step_environment({"by": 1}))
    assert [entry.step_count for entry in manager.episode_state.action_logs] == [3, 4, 5]


def test_in_production_a_manager_plays_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENENV_MODE", "production")
    with pytest.raises(UnknownMessageTypeError):
        asyncio.run(WebInterfaceManager(Walk(), Stride, Place).reset_environment())


def test_what_the_page_says_runs() -> None:
    metadata = load_environment_metadata(Walk())
    assert get_gradio_display_title(metadata) == "OpenEnv Agentic Environment: Walk"
    program = get_quick_start_markdown(metadata, Stride, Place).split("```python\n")[1].split("```")[0]
    with running(create_app(Walk)) as url:
        here = program.replace("http://localhost:8000", url)
        done = subprocess.run([sys.executable, "-c", here], capture_output=True, text=True)
    assert (done.returncode, "1.0" in done.stdout) == (0, True), done.stderr


@with_gradio
def test_the_routes_beside_the_page() -> None:
    with running(create_web_interface_app(Walk)) as url, httpx.Client(base_url=url) as http:
        assert [http.get(path).headers["location"] for path in ("/", "/web")] == ["/web/", "/web/"]
        assert http.get("/web/metadata").json()["name"] == "Walk"
        with connect(f"{url.replace('http', 'ws')}/ws/ui") as socket:
            assert json.loads(socket.recv(5))["episode_state"]["is_reset"]
            assert http.post("/web/reset", json={"start": 2}).json()["observation"]["at"] == 2
            assert json.loads(socket.recv(5))["episode_state"]["current_observation"]["at"] == 2
        assert http.post("/web/step", json={"action": {"by": 1}}).json()["reward"] == 1.0
        assert http.get("/web/state").json() == {"episode_id": "walk", "step_count": 1}
        for wrong in ({"action": {"by": "far"}}, {"by": 1}, [1]):
            assert http.post("/web/step", json=wrong).status_code == 422
        elsewhere = {"Origin": "http://elsewhere.example"}
        assert http.post("/web/step", json={"action": {"by": 1}}, headers=elsewhere).status_code == 403


@with_gradio
def test_the_page_is_there_where_the_environment_variable_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from gradio_client import Client

    monkeypatch.setenv("ENABLE_WEB_INTERFACE", "false")
    with running(create_app(Walk)) as url:
        assert httpx.get(f"{url}/web/").status_code == 404
    monkeypatch.setenv("ENABLE_WEB_INTERFACE", "true")
    with running(create_app(Walk)) as url:
        page = Client(f"{url}/web/", verbose=False)
        page.predict(api_name="/reset")
        drawing, observation, _, status = page.predict(2, "[4]", api_name="/step")
        assert "at 6, reward 1.0" in str(drawing)
        assert json.loads(observation)["observation"]["at"] == 6
        assert status == "Step done. Reward: 1.0."
        assert page.predict(9, "", api_name="/step")[3] == "Refused: too far for one stride"
        assert page.predict('{"by": 1}', api_name="/suggested")[3] == "Step done. Reward: 1.0."
        assert json.loads(page.predict(api_name="/state"))["step_count"] == 2


@with_gradio
@pytest.mark.parametrize(
    ("options", "tabs"),
    [
        ({}, ["Playground", "Mine"]),
        ({"custom_tab_primary": True}, ["Mine", "Playground"]),
        ({"show_default_tab": False}, []),
    ],
)
def test_an_environments_own_page(gradio: Any, options: dict[str, Any], tabs: list[str]) -> None:
    given: list[Any] = []

    def build(*arguments: Any) -> Any:
        given.extend(arguments)
        with gradio.Blocks(analytics_enabled=False) as page:
            gradio.Markdown("my own page")
        return page

    app = create_web_interface_app(Walk, gradio_builder=build, custom_tab_name="Mine", title_override="Walking", **options)
    with running(app) as url:
        components = httpx.get(f"{url}/web/config").json()["components"]
    assert [c["props"]["label"] for c in components if c["type"] == "tabitem"] == tabs
    assert "my own page" in [c["props"].get("value") for c in components]
    assert ([field["name"] for field in given[1]], given[4]) == (["by", "over"], "Walking")
    assert (given[1][0]["type"], given[1][0]["max_value"], given[1][1]["required"]) == ("number", 9, False)


def test_without_gradio_a_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setitem(sys.modules, "gradio", None)
    with pytest.raises(MissingExtra, match=r"pip install 'openenv-core\[gradio\]'"):
        create_web_interface_app(Walk)
    monkeypatch.setenv("ENABLE_WEB_INTERFACE", "true")
    with running(create_app(Walk)) as url:
        assert httpx.get(f"{url}/health").status_code == 200
    assert "openenv-core[gradio]" in caplog.text
