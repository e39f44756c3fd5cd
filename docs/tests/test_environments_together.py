"""Every environment of the repository, served by one process and played at once: none is to notice the others."""

from __future__ import annotations

import builtins
import os
import random
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from serving import running

from coding_env import CodeAction, CodingEnv
from connect4_env import Connect4Action, Connect4Env
from echo_env import EchoAction, EchoEnv
from openenv import EnvClient
from openenv.sessions.spec import load
from openspiel_env import OpenSpielAction, OpenSpielEnv
from textarena_env import TextArenaAction, TextArenaEnv

SEEDS = (1, 2)
ROUNDS = 2


def echo(env: Any, seed: int) -> list[Any]:
    return [env.reset(seed=seed), *(env.step(EchoAction(message=f"{seed}-{turn}")) for turn in range(20))]


def connect4(env: Any, seed: int) -> list[Any]:
    seen = [env.reset(seed=seed, opponent_policy="random")]
    while not seen[-1].done:
        seen.append(env.step(Connect4Action(column=seen[-1].observation.legal_actions[0])))
    return seen


def openspiel(env: Any, seed: int) -> list[Any]:
    seen = [env.reset(seed=seed, game_name="backgammon", opponent_policy="random")]
    while not seen[-1].done and len(seen) < 40:
        seen.append(env.step(OpenSpielAction(action_id=seen[-1].observation.legal_actions[-1])))
    return seen


def coding(env: Any, seed: int) -> list[Any]:
    draw = "import random\nprint([random.randrange(1000) for _ in range(5)])"
    seen = [env.reset(seed=seed), env.step(CodeAction(code=f"x = {seed}")), env.step(CodeAction(code="print(x * 7)"))]
    seen.append(env.step(CodeAction(code=draw)))
    assert seen[2].observation.stdout == f"{seed * 7}\n"
    return [(result.observation.stdout, result.observation.exit_code, result.reward, result.done) for result in seen]


def textarena(env: Any, seed: int) -> list[Any]:
    seen = [env.reset(seed=seed, env_id="Wordle-v0")]
    for word in ("[crane]", "[moist]", "[plumb]"):
        if not seen[-1].done:
            seen.append(env.step(TextArenaAction(message=word)))
    return seen


PLAYED: dict[type[EnvClient[Any, Any, Any]], Callable[[Any, int], list[Any]]] = {
    EchoEnv: echo,
    Connect4Env: connect4,
    OpenSpielEnv: openspiel,
    CodingEnv: coding,
    TextArenaEnv: textarena,
}


def of_the_process() -> dict[str, Any]:
    """What belongs to the whole process and is not an environment's to change."""
    return {
        "random": random.getstate(),
        "numpy": str(np.random.get_state()),
        "folder": Path.cwd(),
        "variables": dict(os.environ),
        "signals": {number: signal.getsignal(number) for number in signal.valid_signals()},
        "import": builtins.__import__,
        "recursion": sys.getrecursionlimit(),
        "output": (sys.stdout, sys.stderr),
    }


def play(client: type[EnvClient[Any, Any, Any]], url: str, seed: int) -> str:
    with client(base_url=url).sync() as env:
        return repr(PLAYED[client](env, seed))


@pytest.mark.skipif(sys.platform != "linux", reason="the coding server's walls are Linux's")
def test_all_play_at_once_as_each_does_alone_and_leave_the_process_as_it_was() -> None:
    before = of_the_process()
    with ExitStack() as stack:
        urls = {client: stack.enter_context(running(load(str(client.server)))) for client in PLAYED}
        alone = {(client, seed): play(client, url, seed) for client, url in urls.items() for seed in SEEDS}
        for client in (Connect4Env, OpenSpielEnv, CodingEnv, TextArenaEnv):
            assert alone[client, SEEDS[0]] != alone[client, SEEDS[1]]
        with ThreadPoolExecutor(len(alone) * ROUNDS) as pool:
            games = [(key, pool.submit(play, key[0], urls[key[0]], key[1])) for _ in range(ROUNDS) for key in alone]
            for key, game in games:
                assert game.result() == alone[key], f"{key[0].__name__} with seed {key[1]} went otherwise beside the others"
    after = of_the_process()
    changed = [name for name in before if before[name] != after[name]]
    assert not changed
