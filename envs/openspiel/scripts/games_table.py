"""Plays every game of OpenSpiel through a server and writes the table of them: `python scripts/games_table.py`.

`--check` only tells whether `docs/games.md` is what the code says. It needs the package with its `[server]` extra.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from openenv import SyncEnvClient
from openspiel_env import OpenSpielAction, OpenSpielEnv, OpenSpielObservation, OpenSpielState
from openspiel_env.policies import policies_for
from openspiel_env.server import games, minimax, parameters, tree_search

Player = SyncEnvClient[OpenSpielAction, OpenSpielObservation, OpenSpielState]

DOCUMENT = Path(__file__).parents[1] / "docs" / "games.md"

POKER = (
    "universal_poker(betting=nolimit,bettingAbstraction=fcpa,blind=10 20 0,firstPlayer=3 1,numBoardCards=0 3,"
    "numHoleCards=2,numPlayers=3,numRanks=13,numRounds=2,numSuits=4,stack=200 200 200)"
)

PARAMETERS: dict[str, dict[str, Any]] = {
    "add_noise": {"epsilon": 0.1, "seed": 1, "game": "kuhn_poker()"},
    "cached_tree": {"game": "tic_tac_toe()"},
    "efg_game": {
        "data": 'EFG 2 R "Matching pennies" { "A" "B" }\np "" 1 1 "" { "heads" "tails" } 0\n'
        'p "" 2 1 "" { "heads" "tails" } 0\nt "" 1 "" { 1 -1 }\nt "" 2 "" { -1 1 }\n'
        'p "" 2 1 "" { "heads" "tails" } 0\nt "" 3 "" { -1 1 }\nt "" 4 "" { 1 -1 }\n'
    },
    "misere": {"game": "tic_tac_toe()"},
    "nfg_game": {"data": 'NFG 1 R "Prisoner\'s dilemma" { "A" "B" } { 2 2 }\n3 3 5 0 0 5 1 1\n'},
    "normal_form_extensive_game": {"game": "kuhn_poker()"},
    "repeated_game": {"stage_game": "matrix_rps()", "num_repetitions": 10},
    "repeated_poker": {"max_num_hands": 3, "reset_stacks": True, "universal_poker_game_string": POKER},
    "restricted_nash_response": {"game": "leduc_poker()"},
    "start_at": {"game": "tic_tac_toe()", "history": "4;0"},
    "turn_based_simultaneous_game": {"game": "goofspiel()"},
    "zerosum": {"game": "matrix_pd()"},
}
"""What is given to the games that cannot be made without parameters."""

NOTES = {
    "bridge": "`mcts` is refused: to guess the other hands takes OpenSpiel seconds",
    "bridge_uncontested_bidding": "its last step takes seconds: it plays ten deals out with all cards open",
    "hive": "`mcts` takes up to 2 s a move",
    "colored_trails": "93,123 actions: the mask makes each message 190 kB in JSON",
    "crossword": "moves are words and have no numbers: `action_struct`; the default puzzle only, others would be files",
    "efg_game": "the game's text is given as `data`; files of the server's machine are not read",
    "hearts": "`mcts` is refused: OpenSpiel's guess of the other hands crashes now and then",
    "nfg_game": "the game's text is given as `data`; files of the server's machine are not read",
    "normal_form_extensive_game": "for inner games with few decisions: it lists all strategies, "
    "and those of tic_tac_toe do not fit into the 256 MB that a game with parameters may take",
    "quoridor": "OpenSpiel warns that its implementation has known issues",
}

HEAD = """# The games

Every game that OpenSpiel {version} registers, played to its end by random players over a connection to a server: by one
against `opponent_policy="random"`, and by one that plays every seat (`"none"`). Written by `scripts/games_table.py`.

- **Plays with**: the defaults, or for games that cannot be made without parameters the ones of the list below the table.
- **Sees**: how many numbers `info_state` holds, of the information state tensor (i) or the observation tensor (o), and
  whether there is an `observation_string` (text).
- **Played**: moves of the agent's seat and its return against random players with seed 0; moves of the client and the
  returns of all seats in self-play with seed 0. In mean-field games there is nobody but the population to play against.
- **Also**: opponents other than `random`, `first`, `last` and `none` that play it, and what there is to know.

"""


@dataclass(frozen=True)
class Row:
    """One game: what OpenSpiel says of it, and what came of playing it."""

    said: tuple[str, ...]
    played: tuple[str, ...]

    def line(self) -> str:
        return f"| {' | '.join([*self.said, *self.played])} |"


COLUMNS = ("Game", "Plays with", "Players", "Dynamics", "Chance", "Hides", "Actions", "Sees", "Played", "Self-play", "Also")


def loaded(name: str) -> games.Game:
    return games.load(name, PARAMETERS.get(name))


def said(name: str) -> tuple[str, ...]:
    """Return the cells of a game that need no playing."""
    game = loaded(name)
    chance = game.spiel.get_type().chance_mode
    size = {"i": "information_state_tensor", "o": "observation_tensor"}
    seen = [f"{getattr(game.spiel, f'{tensor}_size')()} {letter}" for letter, tensor in size.items() if tensor == game.tensor]
    if game.text is not None or not game.hides_something:
        seen.append("text")
    return (
        f"`{name}`",
        "parameters" if name in PARAMETERS else "defaults",
        str(game.num_players),
        game.dynamics.replace("_", " "),
        {"DETERMINISTIC": "none", "EXPLICIT_STOCHASTIC": "drawn", "SAMPLED_STOCHASTIC": "drawn inside"}[chance.name],
        "something" if game.hides_something else "nothing",
        str(game.num_actions) if game.num_actions else "words",
        ", ".join(seen),
    )


def played(env: Player, name: str) -> tuple[str, ...]:
    """Play a game twice, and return the cells that tell of it."""
    against = play(env, name, "random")
    alone = "-" if loaded(name).dynamics == "mean_field" else play(env, name, "none")
    return against, alone, "; ".join(remarks(name)) or "-"


def play(env: Player, name: str, opponent_policy: str) -> str:
    policy = policies_for(name, 0)[0]
    result = env.reset(seed=0, game_name=name, game_params=PARAMETERS.get(name), opponent_policy=opponent_policy)
    returns: list[float] = [result.reward or 0.0] if opponent_policy != "none" else list(result.observation.rewards)
    moves = 0
    while not result.done:
        result = env.step(policy.act(result.observation))
        moves += 1
        paid = [result.reward or 0.0] if opponent_policy != "none" else result.observation.rewards
        returns = [total + reward for total, reward in zip(returns or [0.0] * len(paid), paid, strict=True)]
    return f"{moves}: {', '.join(f'{total:.4g}' for total in returns)}"


def remarks(name: str) -> Iterator[str]:
    game = loaded(name)
    if game.num_players > 1:
        if not tree_search.why_not(game):
            yield "`mcts`"
        if plays_minimax(game):
            yield "`minimax`"
    if name in NOTES:
        yield NOTES[name]


def plays_minimax(game: games.Game) -> bool:
    try:
        minimax.solved(game)
    except ValueError:
        return False
    return True


def document() -> str:
    """Return the whole document, for which every game is played."""
    rows = []
    names = sorted(parameters.REGISTERED)
    with OpenSpielEnv.from_process().sync() as env:
        for name in names:
            rows.append(Row(said(name), played(env, name)).line())
    lines = [
        f"| {' | '.join(COLUMNS)} |",
        f"|{'---|' * len(COLUMNS)}",
        *rows,
        "",
        f"{len(names)} games.",
        "",
        "## Parameters",
        "",
    ]
    lines += [f"- `{name}`: `{given}`" for name, given in PARAMETERS.items()]
    return HEAD.format(version=version("open_spiel")) + "\n".join(lines) + "\n"


def main() -> int:
    right = document()
    if "--check" in sys.argv[1:]:
        if DOCUMENT.read_text() != right:
            print("docs/games.md is not what the code says: run python scripts/games_table.py", file=sys.stderr)
            return 1
        return 0
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text(right)
    return 0


if __name__ == "__main__":
    sys.exit(main())
