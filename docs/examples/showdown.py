"""Policies compete at one of OpenSpiel's games, over a real server, and a table says which played best.

python docs/examples/showdown.py
python docs/examples/showdown.py --game tic_tac_toe --episodes 200 --seed 1
python docs/examples/showdown.py --url http://localhost:8000
"""

from __future__ import annotations

import argparse
import shutil
import sys
import threading
import time
from dataclasses import dataclass
from importlib.util import find_spec
from random import Random
from types import TracebackType
from typing import Self

from openenv import OpenEnvError, SyncEnvClient
from openspiel_env import OpenSpielAction, OpenSpielEnv, OpenSpielObservation, OpenSpielState
from openspiel_env.policies import WON_OR_LOST, Policy, policies_for

Player = SyncEnvClient[OpenSpielAction, OpenSpielObservation, OpenSpielState]


@dataclass
class Score:
    """What a policy reached in all its episodes."""

    name: str
    episodes: int = 0
    wins: int = 0
    total_return: float = 0.0
    steps: int = 0
    seconds: float = 0.0

    @property
    def mean_return(self) -> float:
        return self.total_return / self.episodes


class Progress:
    """Says what is going on: on a terminal in one line that changes, elsewhere in a line after every 1.5 s of silence."""

    def __init__(self) -> None:
        self.text = ""
        self._live = sys.stdout.isatty()
        self._over = threading.Event()
        self._writing = threading.Lock()
        self._since = self._written = time.monotonic()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()
        self._print("")

    def begin(self, text: str) -> None:
        """Show this until told otherwise."""
        self.text = text
        self._since = time.monotonic()

    def finish(self, text: str) -> None:
        """Print lines that stay."""
        self.text = ""
        self._print(f"{text}\n")

    def _run(self) -> None:
        while not self._over.wait(0.1):
            now = time.monotonic()
            if self.text and (self._live or now - self._written >= 1.5):
                line = f"{self.text} ... {now - self._since:.0f} s"
                self._print(line[: self._width()] if self._live else f"{line}\n")

    def _print(self, text: str) -> None:
        with self._writing:
            clear = f"\r{'':{self._width()}}\r" if self._live else ""
            print(clear + text, end="", flush=True)
            self._written = time.monotonic()

    def _width(self) -> int:
        return shutil.get_terminal_size().columns - 1


def play(env: Player, game: str | None, policy: Policy, seeds: list[int], progress: Progress) -> Score:
    """Let a policy play one episode a seed, of this game or, where it is None, of the server's."""
    score = Score(policy.name)
    started = time.perf_counter()
    for seed in seeds:
        progress.text = f"{policy.name}: episode {score.episodes + 1} of {len(seeds)}"
        result = env.reset(seed=seed, game_name=game)
        episode_return = result.reward or 0.0
        while not result.done:
            result = env.step(policy.act(result.observation))
            reward = result.reward or 0.0
            policy.observe(reward, result.done)
            episode_return += reward
            score.steps += 1
        score.episodes += 1
        score.wins += episode_return > 0
        score.total_return += episode_return
    score.seconds = time.perf_counter() - started
    return score


def compete(env: Player, game: str | None, episodes: int, seed: int, progress: Progress) -> None:
    """Play every policy that fits the game on the same deals, and print the ranking."""
    if game is not None:
        env.reset(game_name=game)
    played = env.state().game_name
    rng = Random(str(seed))
    seeds = [rng.randrange(2**31) for _ in range(episodes)]
    policies = policies_for(played, seed)
    progress.finish(f"\n{len(policies)} policies play {played}, {episodes} episodes each, seed {seed}\n")
    scores = []
    for policy in policies:
        progress.begin(policy.name)
        scores.append(score := play(env, game, policy, seeds, progress))
        progress.finish(f"  {score.name}: {score.episodes} episodes, {score.steps} steps in {score.seconds:.1f} s")
    progress.finish(table(scores, won_or_lost=played in WON_OR_LOST))


def table(scores: list[Score], won_or_lost: bool) -> str:
    """Return the ranking, by wins where a game is won or lost, and by the mean return."""
    ranked = sorted(scores, key=lambda score: (score.wins if won_or_lost else 0, score.mean_return), reverse=True)
    lines = [f"{'#':>4}  {'policy':<15}{'success':>18}{'mean return':>13}{'episodes/s':>12}{'steps/s':>9}"]
    lines.append("   " + "-" * (len(lines[0]) - 3))
    for rank, score in enumerate(ranked, 1):
        success = f"{score.wins / score.episodes:7.1%} ({score.wins}/{score.episodes})" if won_or_lost else "-"
        lines.append(
            f"{rank:>4}  {score.name:<15}{success:>18}{score.mean_return:>13.3f}"
            f"{score.episodes / score.seconds:>12,.0f}{score.steps / score.seconds:>9,.0f}"
        )
    return "\n" + "\n".join(lines)


def arguments(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Let policies compete at one of OpenSpiel's games, over a real server.")
    parser.add_argument("--game", help="OpenSpiel's short name; default: catch, or with --url the game that the server plays")
    parser.add_argument("--episodes", type=_at_least_one, default=50, help="episodes a policy plays; default 50")
    parser.add_argument("--seed", type=int, default=0, help="decides every deal and every random choice; default 0")
    parser.add_argument("--url", help="play on this running server, such as http://localhost:8000, instead of starting one")
    return parser.parse_args(given)


def _at_least_one(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, not {text!r}")
    return number


def main(given: list[str] | None = None) -> int:
    """Run the showdown; return the exit code: 0, or 2 where it cannot be done as asked."""
    chosen = arguments(given)
    if chosen.url is None and find_spec("pyspiel") is None:
        print("showdown: OpenSpiel is not installed: pip install open_spiel, or play on a server with --url", file=sys.stderr)
        return 2
    try:
        with Progress() as progress:
            if chosen.url is not None:
                progress.begin(f"Connecting to {chosen.url}")
                with OpenSpielEnv(base_url=chosen.url).sync() as env:
                    compete(env, chosen.game, chosen.episodes, chosen.seed, progress)
            else:
                game = chosen.game or "catch"
                progress.finish("Starting an OpenSpiel server as a process of its own")
                progress.begin("Waiting for the server")
                with OpenSpielEnv.from_process(env_vars={"OPENSPIEL_GAME": game}).sync() as env:
                    compete(env, None, chosen.episodes, chosen.seed, progress)
                    progress.begin("Stopping the server")
    except OpenEnvError as error:
        print(f"showdown: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
