"""Writes `games.md`: what TextArena registers, what of it plays here, and how an episode of random players went.

    python docs/make_games.py           writes the table
    python docs/make_games.py --check   tells whether it is what it would write, and how many games it tried

Every game is set up and played from seed 0, all seats by the random player, for at most `LIMIT` messages; what comes of it
is the same on every run. Run it on Python 3.11, which the table is for, without NLTK's data.
"""

from __future__ import annotations

import sys
from pathlib import Path

from textarena_env import TextArenaAction
from textarena_env.policies import RandomPolicy
from textarena_env.server import catalogue
from textarena_env.server.environment import TextArenaEnvironment
from textarena_env.server.game import Game
from textarena_env.server.setup import MAX_PLAYERS

PAGE = Path(__file__).with_name("games.md")
LIMIT = 60
SLOW = {"Sokoban-v0-medium": "takes TextArena up to a minute to set up"}
WORDS = frozenset(
    {
        "Codenames",
        "DontSayIt",
        "Hangman",
        "LetterAuction",
        "SpellingBee",
        "WordChains",
        "WordLadder",
        "WordSearch",
        "Wordle",
    }
)

HEAD = f"""# TextArena's games

Written by `docs/make_games.py`. TextArena 0.7.4 on Python 3.11 registers {{total}} ids, raw and train variants aside;
**{{playable}} play here**, the others are refused with the reason in the table. Needs: *words* are games that ask NLTK for
words or parts of speech; they get them from packages where NLTK's data is not installed. The result is that of one episode
from seed 0 with random players in all seats, cut after {LIMIT} messages: messages said, and what each seat was paid.

| id | players | plays | needs | result |
| --- | --- | --- | --- | --- |
"""


def row(env_id: str) -> tuple[bool, str]:
    """Return whether a game plays, and its row."""
    needs = "words" if env_id.partition("-v")[0] in WORDS else ""
    try:
        players = counts(env_id) if env_id not in SLOW else "1"
        result = played(env_id) if env_id not in SLOW else SLOW[env_id]
    except catalogue.GameUnavailable as error:
        reason = str(error).removeprefix(f"{env_id} ")
        return False, f"| `{env_id}` | | no | {reason} | |\n"
    return True, f"| `{env_id}` | {players} | yes | {needs} | {result} |\n"


def counts(env_id: str) -> str:
    """Return the numbers of players that a game takes."""
    taken = []
    for count in range(1, MAX_PLAYERS + 1):
        try:
            taken.append(Game(env_id, count, {}, seed=0).num_players)
        except catalogue.GameUnavailable:
            raise
        except ValueError:
            continue
    if len(taken) > 2 and taken == list(range(taken[0], taken[-1] + 1)):
        return f"{taken[0]}–{taken[-1]}"
    return ", ".join(map(str, taken))


def played(env_id: str) -> str:
    """Return how an episode went."""
    environment = TextArenaEnvironment(env_id, opponent_policy="none", max_turns=LIMIT)
    observation = environment.reset(seed=0)
    policies = [RandomPolicy(f"games/{seat}") for seat in range(environment.state.num_players)]
    while not observation.done:
        message = policies[observation.current_player_id].select_action(observation)
        observation = environment.step(TextArenaAction(message=message))
    said = environment.state.step_count
    if observation.truncated:
        return f"cut after {said}"
    paid = ", ".join(f"{reward:.3g}" for reward in observation.info["rewards"].values())
    return f"{said} messages; paid {paid}"


def page() -> str:
    """Return the page's text."""
    rows = [row(env_id) for env_id in catalogue.env_ids()]
    head = HEAD.format(total=len(rows), playable=sum(plays for plays, _ in rows))
    return head + "".join(line for _, line in rows)


if __name__ == "__main__":
    text = page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text)
    elif PAGE.read_text() != text:
        sys.exit(f"{PAGE} is not current: run python {Path(__file__).name}")
