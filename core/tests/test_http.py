"""The HTTP endpoints, as plain `curl` meets them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from counting import Counter, CounterEnv
from serving import running, wait_until

from openenv.server import create_app

SESSION = "X-OpenEnv-Session"


@pytest.fixture
def url() -> Iterator[str]:
    with running(create_app(Counter, max_concurrent_envs=3, queue_timeout_s=0.3, http_default_idle_s=0.4)) as url:
        yield url


def curl(url: str, method: str, path: str, **arguments: Any) -> httpx.Response:
    """One request that remembers nothing of those before."""
    return httpx.request(method, f"{url}{path}", trust_env=False, verify=False, **arguments)


def problem(reply: httpx.Response) -> tuple[int, str]:
    assert reply.headers["content-type"] == "application/problem+json"
    content = reply.json()
    assert content["status"] == reply.status_code
    assert content["detail"]
    return reply.status_code, content["code"]


def test_plain_calls_share_the_default_session(url: str) -> None:
    reply = curl(url, "POST", "/reset", json={"episode_id": "mine"})
    assert reply.json()["metadata"] is None
    assert reply.json()["observation"]["label"] == "start"
    assert curl(url, "POST", "/step", json={"action": {"amount": 4}}).json()["reward"] == 4
    state = curl(url, "GET", "/state").json()
    assert (state["episode_id"], state["step_count"], state["total"]) == ("mine", 1, 4)


def test_a_call_before_any_reset_says_what_to_do(url: str) -> None:
    for method, path, body in (("POST", "/step", {"action": {}}), ("GET", "/state", None), ("DELETE", "/session", None)):
        reply = curl(url, method, path, json=body)
        assert problem(reply) == (409, "SESSION_ERROR")
        assert "POST /reset" in reply.json()["detail"]


def test_sessions_by_header_and_by_cookie_do_not_touch(url: str) -> None:
    named = curl(url, "POST", "/reset", headers={SESSION: "new"}).headers[SESSION]
    with httpx.Client(base_url=url, trust_env=False) as browser:
        browser.post("/reset")
        browser.post("/step", json={"action": {"amount": 1}})
        curl(url, "POST", "/step", json={"action": {"amount": 5}}, headers={SESSION: named})
        curl(url, "POST", "/reset")
        assert browser.get("/state").json()["total"] == 1
        assert curl(url, "GET", "/state").json()["total"] == 0
        assert curl(url, "GET", "/state", headers={SESSION: named}).json()["total"] == 5
        header_wins = browser.get("/state", headers={SESSION: named})
        assert header_wins.json()["total"] == 5
        cookie = header_wins.headers["set-cookie"]
        assert cookie.startswith(f"openenv_session_{httpx.URL(url).port}={named};")
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie


def test_a_replaced_default_is_closed_unless_used_by_its_id(url: str) -> None:
    first = curl(url, "POST", "/reset").headers[SESSION]
    second = curl(url, "POST", "/reset").headers[SESSION]
    assert problem(curl(url, "GET", "/state", headers={SESSION: first})) == (404, "SESSION_UNKNOWN")
    assert curl(url, "GET", "/state", headers={SESSION: second}).is_success
    curl(url, "POST", "/reset")
    assert curl(url, "GET", "/state", headers={SESSION: second}).is_success


def test_an_unknown_session_is_not_found_for_reset_too(url: str) -> None:
    for call in (("POST", "/reset"), ("GET", "/state"), ("DELETE", "/session")):
        assert problem(curl(url, *call, headers={SESSION: "nobody"})) == (404, "SESSION_UNKNOWN")


def test_a_session_can_be_ended(url: str) -> None:
    alive = Counter.count_from_now()
    session = curl(url, "POST", "/reset", headers={SESSION: "new"}).headers[SESSION]
    assert alive() == 1
    assert curl(url, "DELETE", "/session", headers={SESSION: session}).status_code == 204
    assert alive() == 0
    assert problem(curl(url, "GET", "/state", headers={SESSION: session})) == (404, "SESSION_UNKNOWN")


def test_the_default_session_idles_out_and_no_step_runs_on_another(url: str) -> None:
    alive = Counter.count_from_now()
    curl(url, "POST", "/reset")
    wait_until(lambda: alive() == 0)
    assert problem(curl(url, "POST", "/step", json={"action": {"amount": 1}})) == (409, "SESSION_ERROR")


def test_a_request_id_makes_reset_and_step_idempotent(url: str) -> None:
    opening = {"json": {"request_id": "open"}, "headers": {SESSION: "new"}}
    session = curl(url, "POST", "/reset", **opening).headers[SESSION]
    assert curl(url, "POST", "/reset", **opening).headers[SESSION] == session
    by_id = {SESSION: session}
    replies = [
        curl(url, "POST", "/step", json={"action": {"amount": 2}, "request_id": "a"}, headers=by_id).json() for _ in range(3)
    ]
    assert replies == [replies[0]] * 3
    assert curl(url, "GET", "/state", headers=by_id).json()["total"] == 2
    failing = {"action": {"amount": -1}, "request_id": "b"}
    assert [problem(curl(url, "POST", "/step", json=failing, headers=by_id))[0] for _ in range(2)] == [500, 500]
    for number in range(70):
        curl(url, "POST", "/step", json={"action": {}, "request_id": f"n{number}"}, headers=by_id)
    steps = curl(url, "GET", "/state", headers=by_id).json()["step_count"]
    curl(url, "POST", "/step", json={"action": {}, "request_id": "n69"}, headers=by_id)
    assert curl(url, "GET", "/state", headers=by_id).json()["step_count"] == steps == 71


async def test_a_duplicate_of_a_running_call_waits_for_it_and_calls_keep_their_order(url: str) -> None:
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        session = (await http.post("/reset", headers={SESSION: "new"})).headers[SESSION]

        async def step(amount: int, request_id: str, sleep_s: float) -> dict[str, Any]:
            body = {"action": {"amount": amount, "sleep_s": sleep_s}, "request_id": request_id}
            reply = await http.post("/step", json=body, headers={SESSION: session})
            data: dict[str, Any] = reply.json()
            return data

        slow = asyncio.create_task(step(1, "slow", 0.3))
        await asyncio.sleep(0.05)
        again = asyncio.create_task(step(1, "slow", 0.3))
        after = asyncio.create_task(step(2, "after", 0.0))
        first, repeated, last = await asyncio.gather(slow, again, after)
        assert first == repeated
        assert (first["observation"]["total"], last["observation"]["total"]) == (1, 3)


def test_bad_bodies(url: str) -> None:
    curl(url, "POST", "/reset")
    assert problem(curl(url, "POST", "/reset", content="{bad")) == (422, "INVALID_JSON")
    assert problem(curl(url, "POST", "/reset", content="[1]")) == (422, "VALIDATION_ERROR")
    assert problem(curl(url, "POST", "/step", json={"amount": 2})) == (422, "VALIDATION_ERROR")
    assert problem(curl(url, "POST", "/step", json={"action": {"amount": "x"}})) == (422, "VALIDATION_ERROR")
    for timeout in (0, -1, "soon", True):
        assert problem(curl(url, "POST", "/step", json={"action": {}, "timeout_s": timeout})) == (422, "VALIDATION_ERROR")
    assert problem(curl(url, "POST", "/step", json={"action": {"amount": -1}})) == (500, "EXECUTION_ERROR")
    assert curl(url, "GET", "/state").json()["step_count"] == 0


def test_a_timeout_reaches_the_environment(url: str) -> None:
    curl(url, "POST", "/reset")
    reply = curl(url, "POST", "/step", json={"action": {}, "timeout_s": 2.5, "unknown": 1})
    assert reply.json()["metadata"] == {"timeout_s": 2.5}


def test_a_call_past_its_time_leaves_the_session_stuck_until_a_reset(url: str) -> None:
    by_id = {SESSION: curl(url, "POST", "/reset", headers={SESSION: "new"}).headers[SESSION]}
    slow = {"action": {"amount": 1, "sleep_s": 0.5}, "timeout_s": 0.1}
    late = curl(url, "POST", "/step", json=slow, headers=by_id)
    assert problem(late) == (504, "TIMEOUT")
    assert late.json()["started"] is True
    assert problem(curl(url, "POST", "/step", json={"action": {}}, headers=by_id)) == (409, "SESSION_STUCK")
    assert curl(url, "POST", "/reset", headers=by_id).json()["observation"]["total"] == 0
    assert curl(url, "POST", "/step", json={"action": {"amount": 2}}, headers=by_id).json()["observation"]["total"] == 2


def test_a_state_has_its_time_too(url: str) -> None:
    by_id = {SESSION: curl(url, "POST", "/reset", headers={SESSION: "new"}).headers[SESSION]}
    with ThreadPoolExecutor(1) as other:
        slow = {"action": {"amount": 1, "sleep_s": 0.8}}
        stepping = other.submit(curl, url, "POST", "/step", json=slow, headers=by_id)
        time.sleep(0.2)
        late = curl(url, "GET", "/state?timeout_s=0.1", headers=by_id)
        assert problem(late) == (504, "TIMEOUT")
        assert late.json()["started"] is False
        assert stepping.result().json()["reward"] == 1
    assert problem(curl(url, "GET", "/state?timeout_s=soon", headers=by_id)) == (422, "VALIDATION_ERROR")


def test_pages_of_other_sites_may_not_drive(url: str) -> None:
    own, foreign = {"Origin": url}, {"Origin": "https://elsewhere.example"}
    assert curl(url, "POST", "/reset", headers=own).is_success
    assert curl(url, "POST", "/reset", headers=foreign).status_code == 403
    assert curl(url, "GET", "/state", headers=foreign).is_success


def test_no_room_says_when_to_come_back(url: str) -> None:
    for _ in range(3):
        assert curl(url, "POST", "/reset", headers={SESSION: "new"}).is_success
    reply = curl(url, "POST", "/reset", headers={SESSION: "new"})
    assert problem(reply) == (503, "CAPACITY_REACHED")
    assert int(reply.headers["Retry-After"]) >= 1


def test_without_a_default_session_every_reset_opens_one() -> None:
    with running(create_app(Counter, http_default_session=False)) as url:
        curl(url, "POST", "/reset")
        assert problem(curl(url, "GET", "/state")) == (409, "SESSION_ERROR")


def test_what_a_server_says_of_itself(url: str) -> None:
    assert curl(url, "GET", "/health").json() == {"status": "healthy"}
    schema = curl(url, "GET", "/schema").json()
    assert schema.keys() == {"action", "observation", "state"}
    assert schema["action"]["properties"]["amount"]["type"] == "integer"
    assert curl(url, "GET", "/metadata").json()["description"] == "Adds up; ends at 10 or above."
    paths = curl(url, "GET", "/openapi.json").json()["paths"]
    assert {"/reset", "/step", "/state", "/session", "/health", "/schema", "/metadata"} <= paths.keys()
    body = paths["/step"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert "amount" in body["properties"]["action"]["properties"]
    assert "swagger" in curl(url, "GET", "/docs").text.lower()


async def test_many_clients_have_their_own_sessions() -> None:
    async def episode(url: str, start: int) -> int:
        async with CounterEnv(base_url=url, transport="http") as env:
            await env.reset(start=start)
            await asyncio.sleep(0)
            return (await env.state()).total

    with running(create_app(Counter, max_concurrent_envs=8)) as url:
        starts = list(range(-24, 0))
        assert await asyncio.gather(*(episode(url, start) for start in starts)) == starts


def test_a_body_beyond_the_limit_is_refused() -> None:
    with running(create_app(Counter, max_message_bytes=2000)) as url:
        reply = curl(url, "POST", "/reset", json={"episode_id": "x" * 5000})
        assert problem(reply) == (413, "VALIDATION_ERROR")


def test_a_cookie_of_an_ended_session_is_taken_back(url: str) -> None:
    with httpx.Client(base_url=url, trust_env=False) as browser:
        browser.post("/reset")
        assert browser.delete("/session").status_code == 204
        assert browser.post("/reset").status_code == 404
        assert browser.post("/reset").is_success
