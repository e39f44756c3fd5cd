"""One server of several worker processes: what its clients see is one server, and what is lost with a worker is told."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import websockets
from placed import PlacedEnv, Stay
from server_process import SERVE, ServerProcess, alive
from serving import wait_until
from speaking import JSON, Speaker, speaking
from websockets.typing import Subprotocol

from openenv.errors import CapacityReached, SessionLost, ShuttingDown, UsageError
from openenv.server import create_app, serve
from openenv.server.workers.head import destination

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is one process on Windows")

BY_NAME = (*SERVE, "placed:app", "--port", "0", "--workers", "2")
BY_COPY = ("-c", "from placed import app; from openenv.server import serve; serve(app, port=0, workers=2)")
SESSION, NEW = "X-OpenEnv-Session", "new"


class Server(ServerProcess):
    """A server of `Placed` in two worker processes."""

    def __init__(self, folder: Path, *command: str, **settings: str) -> None:
        super().__init__(folder, *(command or BY_NAME), **settings)

    def counts(self) -> dict[str, int]:
        """Return `taken`, `awaited` and `capacity`, as a worker knows them."""
        told: dict[str, int] = httpx.get(f"{self.url}/counts", trust_env=False).json()
        return told

    def noted(self, what: str) -> int:
        """Return how often the environments wrote something down."""
        return sum(event.startswith(what) for event in self.events())

    async def until(self, **wanted: int) -> None:
        """Wait until the counts are these."""
        await asyncio.to_thread(wait_until, lambda: self.counts().items() >= wanted.items(), 10.0)


@pytest.fixture
def servers() -> Iterator[list[Server]]:
    started: list[Server] = []
    yield started
    for server in started:
        server.kill()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that tests leave as they found it."""
    server = Server(tmp_path_factory.mktemp("shared"))
    yield server
    server.kill()


def worker_of(session: str) -> str:
    return session.partition(".")[0]


async def one_in_each(server: Server, stack: contextlib.AsyncExitStack) -> dict[int, PlacedEnv]:
    """Return a client of each worker, by the worker's process."""
    envs: dict[int, PlacedEnv] = {}
    while len(envs) < 2:
        env = await stack.enter_async_context(PlacedEnv(base_url=server.url))
        if envs.setdefault((await env.reset()).observation.pid, env) is not env:
            await env.close()
            await asyncio.sleep(0.02)
    return envs


@pytest.mark.parametrize("command", [BY_NAME, BY_COPY], ids=["by name", "by copy"])
async def test_sessions_spread_over_the_workers(servers: list[Server], tmp_path: Path, command: tuple[str, ...]) -> None:
    server = Server(tmp_path, *command)
    servers.append(server)
    async with contextlib.AsyncExitStack() as stack:
        envs = [await stack.enter_async_context(PlacedEnv(base_url=server.url)) for _ in range(8)]
        homes = Counter(result.observation.pid for result in await asyncio.gather(*(env.reset() for env in envs)))
        assert len(homes) == 2
        assert min(homes.values()) >= 3
        for step in (1, 2, 3):
            results = await asyncio.gather(*(env.step(Stay()) for env in envs))
            assert [result.observation.steps for result in results] == [step] * 8
            assert Counter(result.observation.pid for result in results) == homes
        await server.until(taken=8, capacity=256)
    await server.until(taken=0)
    server.process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(server.wait) == (0, "")


async def test_slots_and_their_queue_are_one_for_all_workers(servers: list[Server], tmp_path: Path) -> None:
    server = Server(tmp_path, OPENENV_MAX_CONCURRENT_ENVS="3", OPENENV_QUEUE_TIMEOUT_S="6")
    servers.append(server)
    async with contextlib.AsyncExitStack() as stack:
        speakers = [await stack.enter_async_context(speaking(server.url)) for _ in range(6)]
        assert {worker_of(speaker.session) for speaker in speakers} == {"0", "1"}
        for speaker in speakers[:3]:
            assert (await speaker.ask("reset", 1))["type"] == "observation"
        for waiting, speaker in enumerate(speakers[3:], 1):
            await speaker.say("reset", 1)
            await server.until(taken=3, awaited=waiting)
        await speakers[5].say("close")
        await server.until(taken=3, awaited=2)
        await speakers[0].say("close")
        assert (await speakers[3].hear())["type"] == "observation"
        refusal = await speakers[4].hear()
        assert (refusal["type"], refusal["data"]["code"]) == ("error", CapacityReached.code)
        assert (refusal["data"]["max_sessions"], refusal["data"]["active_sessions"]) == (3, 3)
        await server.until(taken=3, awaited=0)
    await server.until(taken=0, awaited=0)


async def test_a_lost_socket_is_resumed_in_its_worker(shared: Server) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(4):
            first = await stack.enter_async_context(speaking(shared.url))
            home = (await first.ask("reset", 1))["data"]["observation"]["pid"]
            await first.vanish()
            second = await stack.enter_async_context(speaking(shared.url, session=first.session))
            assert (second.hello["resumed"], second.session) == (True, first.session)
            observation = (await second.ask("step", 2, {}))["data"]["observation"]
            assert (observation["pid"], observation["steps"]) == (home, 1)
            await second.say("close")


async def test_a_socket_that_reaches_the_wrong_worker_is_passed_on(shared: Server) -> None:
    """Proxies open sockets on connections that have served HTTP before, which fixed their worker."""
    async with contextlib.AsyncExitStack() as stack:
        speakers = [await stack.enter_async_context(speaking(shared.url)) for _ in range(4)]
        for speaker in speakers:
            home = (await speaker.ask("reset", 1))["data"]["observation"]["pid"]
            await speaker.vanish()
            again = await stack.enter_async_context(speaking_by_the_first_worker(shared, speaker.session))
            assert again.session == speaker.session
            assert (await again.ask("step", 2, {}))["data"]["observation"]["pid"] == home
            await again.say("close")
            assert await again.closed_with() == 1000


@contextlib.asynccontextmanager
async def speaking_by_the_first_worker(server: Server, session: str) -> AsyncIterator[Speaker]:
    """Resume a session on a connection to the first worker."""
    offered = [Subprotocol(JSON), Subprotocol(f"openenv.session.{session}")]
    url = f"ws{server.url.removeprefix('http')}/ws"
    used = used_connection(server.url)
    async with websockets.connect(url, sock=used, subprotocols=offered, compression=None) as connection:
        speaker = Speaker(connection, JSON)
        speaker.hello = (await speaker.hear())["data"]
        yield speaker


def used_connection(url: str) -> socket.socket:
    """Return a connection to the first worker that has served a request."""
    address = urlsplit(url)
    connection = socket.create_connection((address.hostname, address.port), timeout=10)
    connection.sendall(b"GET /health HTTP/1.1\r\nHost: here\r\n\r\n")
    reply = b""
    while b"healthy" not in reply:
        reply += connection.recv(4096)
    return connection


async def test_a_head_that_comes_in_pieces_is_waited_for(shared: Server) -> None:
    address = urlsplit(shared.url)
    async with httpx.AsyncClient(base_url=shared.url, trust_env=False) as http:
        sessions = await fresh_sessions(http)
        for session in sessions.values():
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
            for piece in ("GET /state HTTP/1.1\r\nHo", f"st: here\r\n{SESSION}: {session[:3]}", f"{session[3:]}\r\n", "\r\n"):
                writer.write(piece.encode())
                await writer.drain()
                await asyncio.sleep(0.03)
            assert (await reader.readline()).split()[1] == b"200"
            writer.close()
            await writer.wait_closed()
        await end(http, sessions)


async def connected(server: Server, stack: contextlib.AsyncExitStack, session: str | None = None) -> httpx.AsyncClient:
    """Return a client with one connection, to the worker in which a session lives if one is given."""
    limits = httpx.Limits(max_connections=1)
    http = await stack.enter_async_context(httpx.AsyncClient(base_url=server.url, limits=limits, trust_env=False))
    assert (await http.get("/health", headers={} if session is None else {SESSION: session})).is_success
    return http


async def fresh_sessions(http: httpx.AsyncClient) -> dict[str, str]:
    """Open an HTTP session in each worker; return them by worker."""
    found: dict[str, str] = {}
    while len(found) < 2:
        reply = await http.post("/reset", headers={SESSION: NEW}, json={"request_id": os.urandom(8).hex()})
        session = reply.headers[SESSION]
        if found.setdefault(worker_of(session), session) != session:
            assert (await http.delete("/session", headers={SESSION: session})).status_code == 204
        http.cookies.clear()
    return found


async def end(http: httpx.AsyncClient, sessions: dict[str, str]) -> None:
    for session in sessions.values():
        assert (await http.delete("/session", headers={SESSION: session})).status_code == 204


async def test_http_calls_reach_their_session_from_any_connection(shared: Server) -> None:
    async with contextlib.AsyncExitStack() as stack:
        first = await connected(shared, stack)
        sessions = await fresh_sessions(first)
        clients = [await connected(shared, stack, sessions[worker]) for worker in ("0", "1", "0", "1")]
        steps: Counter[str] = Counter()
        for http in clients:
            for session in sessions.values():
                by_header = {SESSION: session}
                by_cookie = {"Cookie": f"openenv_session_{urlsplit(shared.url).port}={session}"}
                behind_proxy = {"Cookie": f"openenv_session_443={session}", "Host": "here", "X-Forwarded-Proto": "https"}
                for named in (by_header, by_cookie, behind_proxy):
                    http.cookies.clear()
                    steps[session] += 1
                    reply = await http.post("/step", json={"action": {}}, headers=named)
                    assert reply.json()["observation"]["steps"] == steps[session]
                    assert reply.headers[SESSION] == session
                    assert (await http.get("/state", headers=named)).json()["step_count"] == steps[session]
            foreign = await http.post("/step", json={"action": {}}, headers={SESSION: session, "Origin": "http://elsewhere"})
            assert foreign.status_code == 403
            lost = await http.post("/reset", headers={SESSION: f"{session}x"})
            assert (lost.status_code, lost.json()["code"]) == (404, SessionLost.code)
        await end(clients[0], sessions)


async def test_the_default_session_is_the_same_from_every_connection(shared: Server) -> None:
    async with contextlib.AsyncExitStack() as stack:
        sessions = await fresh_sessions(await connected(shared, stack))
        clients = [await connected(shared, stack, sessions[worker]) for worker in ("1", "0")]
        await end(clients[0], sessions)
        homes = set()
        for step, http in enumerate([*clients, *clients]):
            if step == 0:
                reply = await http.post("/reset", json={"request_id": "first"})
                assert worker_of(reply.headers[SESSION]) == "0"
            http.cookies.clear()
            reply = await http.post("/step", json={"action": {}})
            homes.add(reply.json()["observation"]["pid"])
            assert reply.json()["observation"]["steps"] == step + 1
        assert len(homes) == 1


async def test_a_reset_said_twice_opens_one_session_whichever_worker_hears_it(shared: Server) -> None:
    async with contextlib.AsyncExitStack() as stack:
        speakers = [await stack.enter_async_context(speaking(shared.url)) for _ in range(2)]
        for name in map(str, range(6)):
            opened = set()
            for speaker in speakers:  # more to do for one worker, then for the other
                await speaker.ask("reset", int(name) + 1)
                async with httpx.AsyncClient(base_url=shared.url, trust_env=False) as http:
                    reply = await http.post("/reset", headers={SESSION: NEW}, json={"request_id": f"twice-{name}"})
                    opened.add(reply.headers[SESSION])
            assert len(opened) == 1
            async with httpx.AsyncClient(base_url=shared.url, trust_env=False) as http:
                await end(http, dict.fromkeys(["0"], opened.pop()))


SAID = "Host: here:80\r\n"


@pytest.mark.parametrize(
    ("said", "worker", "anywhere"),
    [
        ("GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n", None, True),
        ("GET /ws HTTP/1.1\r\nupgrade: WebSocket\r\nsec-websocket-protocol: a, openenv.session.1.20.x-_y\r\n", "1.20", False),
        ("POST /step HTTP/1.1\r\nx-openenv-session: 0.3.abc\r\nCookie: openenv_session_80=1.0.abc\r\n", "0.3", False),
        ("POST /step HTTP/1.1\r\nCookie: a=b; openenv_session_80=1.0.abc; c=d\r\n", "1.0", False),
        ("POST /reset HTTP/1.1\r\nX-OpenEnv-Session: new\r\n", None, True),
        ("POST /reset HTTP/1.1\r\nX-OpenEnv-Session: ../../1.0.abc\r\n", None, True),
        ("POST /reset HTTP/1.1\r\n", None, False),
    ],
)
def test_a_connection_goes_where_its_head_says(said: str, worker: str | None, anywhere: bool) -> None:
    request, _, headers = said.partition("\r\n")
    assert destination(f"{request}\r\n{SAID}{headers}\r\n".encode()) == (worker, anywhere)


async def test_a_worker_that_dies_takes_its_own_sessions_only(servers: list[Server], tmp_path: Path) -> None:
    server = Server(tmp_path, OPENENV_MAX_CONCURRENT_ENVS="4")
    servers.append(server)
    async with contextlib.AsyncExitStack() as stack:
        envs = await one_in_each(server, stack)
        (killed, lost), (_, kept) = envs.items()
        await kept.step(Stay())
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=server.url, trust_env=False))
        sessions = await fresh_sessions(http)
        await server.until(taken=4)
        in_flight = asyncio.ensure_future(kept.step(Stay(sleep_s=0.5)))
        os.kill(killed, signal.SIGKILL)
        with pytest.raises(SessionLost, match=r"worker process [01]\.0"):
            await lost.step(Stay())
        assert (await in_flight).observation.steps == 2
        await server.until(taken=2)
        told = [(await http.get("/state", headers={SESSION: name})) for name in sessions.values()]
        assert sorted(reply.status_code for reply in told) == [200, 404]
        assert {reply.json()["code"] for reply in told if reply.status_code == 404} == {SessionLost.code}
        everyone = [await stack.enter_async_context(PlacedEnv(base_url=server.url)) for _ in range(2)]
        await asyncio.gather(*(env.reset() for env in everyone))
        await server.until(taken=4, awaited=0)
        for env in (lost, *everyone):
            await env.close()
        again = await one_in_each(server, stack)
        assert killed not in again
        assert (await kept.step(Stay())).observation.steps == 3
    server.process.send_signal(signal.SIGTERM)
    code, log = await asyncio.to_thread(server.wait)
    assert code == 0
    assert "another takes its place" in log


@pytest.mark.parametrize("command", [BY_NAME, BY_COPY], ids=["by name", "by copy"])
async def test_sigterm_drains_every_worker(servers: list[Server], tmp_path: Path, command: tuple[str, ...]) -> None:
    server = Server(tmp_path, *command)
    servers.append(server)
    async with contextlib.AsyncExitStack() as stack:
        envs = await one_in_each(server, stack)
        idle = await stack.enter_async_context(PlacedEnv(base_url=server.url))
        await idle.reset()
        await server.until(taken=3)
        in_flight = [asyncio.ensure_future(env.step(Stay(sleep_s=1.5))) for env in envs.values()]
        closed = server.noted("closed")
        await asyncio.to_thread(wait_until, lambda: server.noted("step") == 2)
        server.process.send_signal(signal.SIGTERM)
        async with httpx.AsyncClient(base_url=server.url, trust_env=False) as http:
            while (await http.get("/health")).is_success:
                await asyncio.sleep(0.01)
        with pytest.raises(ShuttingDown):
            await PlacedEnv(base_url=server.url).reset()
        assert [result.observation.pid for result in await asyncio.gather(*in_flight)] == [*envs]
        code, log = await asyncio.to_thread(server.wait)
        assert (code, log) == (0, "")
        assert server.noted("closed") == closed + 3
        assert not any(map(alive, envs))


async def test_sigterm_waits_for_a_call_that_came_by_another_worker(servers: list[Server], tmp_path: Path) -> None:
    server = Server(tmp_path)
    servers.append(server)
    async with contextlib.AsyncExitStack() as stack:
        speakers = [await stack.enter_async_context(speaking(server.url)) for _ in range(2)]
        second = next(speaker for speaker in speakers if worker_of(speaker.session) == "1")
        await second.ask("reset", 1)
        await second.vanish()
        again = await stack.enter_async_context(speaking_by_the_first_worker(server, second.session))
        await again.say("step", 2, {"sleep_s": 1.0})
        await asyncio.to_thread(wait_until, lambda: server.noted("step") == 1)
        server.process.send_signal(signal.SIGTERM)
        assert (await again.hear())["data"]["observation"]["steps"] == 1
    assert (await asyncio.to_thread(server.wait))[0] == 0


@pytest.mark.parametrize("command", [BY_NAME, BY_COPY], ids=["by name", "by copy"])
async def test_nothing_outlives_a_killed_parent(servers: list[Server], tmp_path: Path, command: tuple[str, ...]) -> None:
    server = Server(tmp_path, *command)
    servers.append(server)
    async with contextlib.AsyncExitStack() as stack:
        envs = await one_in_each(server, stack)
        pids = {*envs, *children(server.process.pid)}
        server.process.kill()
        await asyncio.to_thread(wait_until, lambda: not any(map(alive, pids)), 20.0)
        assert {event.partition(":")[0] for event in server.events()} == {"closed"}
        for env in envs.values():
            with contextlib.suppress(SessionLost, ConnectionError):
                await env.close()


def children(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True).stdout
    return [int(child) for child, parent in map(str.split, listed.splitlines()) if int(parent) == pid]


def failure(folder: Path, *command: str) -> str:
    server = Server(folder, *command)
    code, log = server.wait()
    assert code == 1
    return log


def test_what_cannot_be_served_by_workers_is_told_in_a_line(tmp_path: Path) -> None:
    told = failure(tmp_path, *SERVE, "nowhere.server:app", "--workers", "2")
    assert told.startswith("openenv: a worker process did not start: cannot import nowhere.server")
    assert told.count("\n") == 1
    for app, workers, message in serve_mistakes():
        with pytest.raises(UsageError, match=message):
            serve(app, port=0, workers=workers)


def serve_mistakes() -> list[tuple[Any, int, str]]:
    from counting import Counter as Counting
    from counting import SoloCounter
    from fastapi import FastAPI

    return [
        (create_app(SoloCounter), 2, "SoloCounter serves one session at a time: declare SUPPORTS_CONCURRENT_SESSIONS"),
        (FastAPI(), 2, "needs an app that create_app made"),
        (create_app(Counting), 0, "workers=0: the number of worker processes"),
    ]
