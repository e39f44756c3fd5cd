"""No network is needed, and none is tried."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

BLOCKED = """
import socket, sys
def refuse(*args, **kwargs):
    tried.append(args)
    raise OSError("no network")
tried = []
socket.getaddrinfo = socket.create_connection = socket.socket.connect = refuse
"""


def run(code: str, tmp_path: Path, **variables: str) -> str:
    """Run a program with no network and no data of NLTK's; return what it prints."""
    surroundings = {"PYTHONPATH": os.pathsep.join(sys.path), "HOME": str(tmp_path), "PATH": os.environ["PATH"], **variables}
    program = BLOCKED + textwrap.dedent(code)
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", program],
        capture_output=True,
        text=True,
        env=surroundings,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_the_server_starts_and_word_games_play_offline(tmp_path: Path) -> None:
    code = """
        from textarena_env import TextArenaAction
        from textarena_env.policies import RandomPolicy, WordlePolicy
        from textarena_env.server.app import app
        from textarena_env.server.environment import TextArenaEnvironment

        def play(env_id, player):
            environment = TextArenaEnvironment(env_id, max_turns=5)
            observation = environment.reset(seed=1)
            while not observation.done:
                observation = environment.step(TextArenaAction(message=player.select_action(observation)))
            return observation.reward

        assert play("Wordle-v0", WordlePolicy()) == 1
        for name in "Hangman WordLadder WordSearch DontSayIt LetterAuction SpellingBee WordChains Codenames".split():
            play(name + "-v0", RandomPolicy(0))
        assert tried == []
        import nltk
        print(TextArenaEnvironment().state.word_data, nltk.download.__module__, __import__("random").choice.__module__)
    """
    assert run(code, tmp_path).split() == ["packaged", "nltk.downloader", "random"]
    assert not any(path.is_file() and "nltk" in str(path) for path in tmp_path.rglob("*"))


def test_nltks_own_words_are_used_where_they_are_installed_and_wanted(tmp_path: Path) -> None:
    corpus = tmp_path / "data" / "corpora" / "words"
    corpus.mkdir(parents=True)
    (corpus / "en").write_text("zebra\nquokka\n")
    (corpus / "en-basic").write_text("quokka\n")
    (corpus / "README").write_text("")
    code = """
        from textarena_env.server.environment import TextArenaEnvironment
        environment = TextArenaEnvironment("Hangman-v0")
        secrets = {}
        for seed in range(9):
            environment.reset(seed=seed)
            secrets[environment._match.game.inner.state.game_state["target_word"]] = seed
        print(environment.state.word_data, *secrets)
        assert tried == []
    """
    data = str(tmp_path / "data")
    assert run(code, tmp_path, NLTK_DATA=data).split() == ["nltk", "words", "quokka"]
    packaged = run(code, tmp_path, NLTK_DATA=data, TEXTARENA_WORD_DATA="packaged")
    assert packaged == run(code, tmp_path)
    assert packaged.split()[0] == "packaged"


def test_importing_the_client_and_the_policies_brings_no_server(tmp_path: Path) -> None:
    heavy = ("textarena", "nltk", "numpy", "fastapi", "uvicorn", "openai", "textarena_env.server")
    code = (
        f"import textarena_env, textarena_env.policies, textarena_env.rewards; print([m for m in {heavy} if m in sys.modules])"
    )
    assert run(code, tmp_path).strip() == "[]"
