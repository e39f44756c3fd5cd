"""In which form each game takes its moves, for players that say random ones.

A form is text with places to fill: `<0-8>` a whole number of that range, `<a-h>` a letter of that range, `<up|down>` one of
these, `<heard>` a word of what the player has just heard, `<word>` a common word as the player was told that it must be.
The forms are those that the games'
prompts ask for (TextArena 0.7.4), with ranges for the games' usual sizes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

from ..vocabulary import common_words

_PLACE = re.compile(r"<([^<>]+)>")
_WORD = re.compile(r"[A-Za-z]+")
_LENGTH = re.compile(r"exactly (\d{1,3}) letters|secret (\d{1,3})-letter word")
_START = re.compile(r"Start with '([a-z])'")
_LETTERS = re.compile(r"Allowed Letters: ([a-z]+)")
_LADDER = re.compile(r"Start word:  \*\*([a-z]+)\*\*")
_RANGE = re.compile(r"(\d+)-(\d+)|([A-Za-z])-([A-Za-z])")

_DIRECTIONS = ("[<up|down|left|right>]",)
_TALK = ("I see it like you.", "Let us be fair to each other.", "What do you think?", "My word: <word>.")
_GOODS = "<1-3> <Wheat|Wood|Sheep|Brick|Ore>"
_SQUARE_8 = "<a-h><1-8>"

FORMS: dict[str, tuple[str, ...]] = {
    "2048": ("[<Up|Down|Left|Right>]",),
    "Alquerque": ("[<a-e><1-5> <a-e><1-5>]",),
    "Bandit": ("[<red|blue|green|yellow|purple>]",),
    "Battleship": ("[<A-E><0-4>]",),
    "Blackjack": ("[<Hit|Stand>]",),
    "Breakthrough": ("[<a-e><1-5><a-e><1-5>]",),
    "Briscola": ("[play <1-3>]",),
    "CharacterConclave": (*_TALK, "[<0-2>]"),
    "Checkers": ("[<0-7> <0-7> <0-7> <0-7>]",),
    "Chess": (f"[{_SQUARE_8}{_SQUARE_8}]",),
    "Chopsticks": ("[attack <0-1> <0-1>]", "[split <0-4> <0-4>]"),
    "Codenames": ("[<word> <1-3>]", "[<heard>]", "[pass]"),
    "ColonelBlotto": ("[A<0-20> B<0-20> C<0-20>]",),
    "ConnectFour": ("[col <0-6>]",),
    "Countdown": ("[<0-5> <0-5> <+|-|*>]",),
    "Crosswords": ("[<0-11> <0-11> <a-z>]",),
    "Crusade": (f"[{_SQUARE_8} {_SQUARE_8}]",),
    "Cryptarithm": ("[<S|E|N|D|M|O|R|Y> <0-9>]",),
    "DontSayIt": _TALK,
    "FifteenPuzzle": _DIRECTIONS,
    "FrozenLake": _DIRECTIONS,
    "GameOfPureStrategy": ("[<A|2|3|4|5|6|7|8|9|10|J|Q|K>]",),
    "GermanWhist": ("[play <1-13>]",),
    "Golf": ("[draw]", "[take]", "[discard]", "[swap <1-2> <1-3>]"),
    "GuessTheNumber": ("[<1-20>]",),
    "Hangman": ("[<A-Z>]",),
    "HighSociety": ("[<1-11>]",),
    "IndianPoker": ("[check]", "[call]", "[fold]", "[bet <1-3>]", "[raise <1-3>]"),
    "IteratedMatchingPennies": ("[<heads|tails>]",),
    "IteratedPrisonersDilemma": ("[<Cooperate|Defect>]",),
    "IteratedRockPaperScissors": ("[<rock|paper|scissors>]",),
    "IteratedStagHunt": ("[<Stag|Hare>]",),
    "IteratedTwoThirdsAverage": ("[<0-100>]",),
    "IteratedUltimatumGame": ("[Offer: $<0-25>]", "[Accept]", "[Reject]"),
    "KuhnPoker": ("[<check|bet|call|fold>]",),
    "LetterAuction": ("[bid <1-9>]", "[pass]", "[<word>]"),
    "LiarsDice": ("[Bid: <1-6>, <1-6>]", "[Call]"),
    "LightsOut": ("[<0-4> <0-4>]",),
    "LinesOfAction": (f"[{_SQUARE_8}{_SQUARE_8}]",),
    "LogicPuzzle": ("[<heard> <heard> <X|O>]",),
    "MarketEntryGame": ("{Let us see.} [<E|S>]",),
    "Mastermind": ("[<1-6> <1-6> <1-6> <1-6>]",),
    "MemoryGame": ("[<0-3> <0-3> <0-3> <0-3>]",),
    "Minesweeper": ("[<0-7> <0-7>]",),
    "NewRecruit": ("Here is my offer. [Propose] " + "<A-E>" * 8, "[Accept]", "[Reject]"),
    "Nim": ("[<0-2> <1-5>]",),
    "Othello": ("[<0-7>, <0-7>]",),
    "PegJump": ("[<1-15> <1-15>]",),
    "PigDice": ("[<roll|hold>]",),
    "Poker": ("[Check]", "[Call]", "[Fold]", "[Bet <20-100>]", "[Raise <20-100>]"),
    "PublicGoodsGame": ("{Let us all give.} [<0-20>]",),
    "QuantumTicTacToe": ("[<0-8>,<0-8>]",),
    "ReverseTicTacToe": ("[<0-8>]",),
    "RushHour": ("[<A-Z><+|->]",),
    "SantoriniBaseFixed": ("[<N1|N2|W1|W2|G1|G2><A-E><1-5><A-E><1-5><A-E><1-5>]",),
    "Secretary": ("[<accept|continue>]",),
    "SecretMafia": ("[<0-5>]", "I trust Player <0-5>."),
    "Set": ("[<1-12>, <1-12>, <1-12>]",),
    "SettlersOfCatan": ("[<0-3>]", "[Done]", "[Accept]", "[Deny]", f"[Offer: {_GOODS} -> {_GOODS}]"),
    "SimpleBlindAuction": ("[Bid on Item <0-2>: <1-200>]",),
    "SimpleNegotiation": ("[Accept]", "[Deny]", f"[Offer: {_GOODS} -> {_GOODS}]"),
    "SimpleTak": ("[<0-15>]",),
    "Slitherlink": ("[<h|v> <0-4> <0-4>]",),
    "Snake": _DIRECTIONS,
    "Sokoban": _DIRECTIONS,
    "SpellingBee": ("[<word>]",),
    "SpiteAndMalice": ("[draw]",),
    "Stratego": ("[<A-J><0-9> <A-J><0-9>]",),
    "Sudoku": ("[<1-9> <1-9> <1-9>]",),
    "Surround": _DIRECTIONS,
    "Taboo": ("Think of <word>.", "[<word>]"),
    "Tak": ("[place () {(<0-3>,<0-3>): [<F|F|C><0|1>]}]",),
    "ThreeCardMonte": ("[<0-2>]",),
    "ThreePlayerGOPS": ("[<A|2|3|4|5|6|7|8|9|10|J|Q|K>]",),
    "ThreePlayerIPD": ("[0 <cooperate|defect>] [1 <cooperate|defect>] [2 <cooperate|defect>]",),
    "ThreePlayerTicTacToe": ("[<0-24>]",),
    "TicTacToe": ("[<0-8>]",),
    "TowerOfHanoi": ("[<A|B|C> <A|B|C>]",),
    "TruthAndDeception": (*_TALK, "[Fact <1|2>]"),
    "TwoDollar": ("I need a part of it. [Propose] $<0|1>.<10-99>", "It is fair. [Accept]", "It is too little. [Reject]"),
    "UltimateTexasHoldem": ("[check]", "[fold]", "[play bet 4x]", "[play bet 2x]", "[play bet 1x]"),
    "UltimateTicTacToe": ("[<0-8> <0-8>]",),
    "WildTicTacToe": ("[<X|O> <0-8>]",),
    "WordChains": ("[<word>]",),
    "WordLadder": ("[<word>]",),
    "Wordle": ("[<word>]",),
    "WordSearch": ("[<0-9> <0-9> <0-9> <0-9>]",),
}


def game_name(env_id: str) -> str:
    """Return the name of a game without its version and variant: Wordle for Wordle-v0-hardcore."""
    return env_id.partition("-v")[0]


def fill(form: str, rng: Random, heard: str) -> str:
    """Return a form with its places filled at random.

    Args:
        form: one of `FORMS`.
        rng: decides what fills them.
        heard: the prompt and what the player has just heard.
    """
    return _PLACE.sub(lambda place: _filled(place[1], rng, heard), form)


def _filled(place: str, rng: Random, heard: str) -> str:
    if place == "word":
        return rng.choice(_fitting_words(heard))
    if place == "heard":
        words: list[str] = _WORD.findall(heard) or ["nothing"]
        return rng.choice(words)
    if (bounds := _RANGE.fullmatch(place)) is None:
        return rng.choice(place.split("|"))
    if bounds[1]:
        return str(rng.randint(int(bounds[1]), int(bounds[2])))
    return chr(rng.randint(ord(bounds[3]), ord(bounds[4])))


def _fitting_words(heard: str) -> Sequence[str]:
    """Return the common words of the length, the first letter, the letters or the ladder that was named last, if any."""
    length = next((int(number) for found in reversed(_LENGTH.findall(heard)) for number in found if number), None)
    start = next(reversed(_START.findall(heard)), "")
    letters = next((set(found) for found in _LETTERS.findall(heard)), None)
    ladder = next(iter(_LADDER.findall(heard)), None)
    fitting = [
        word
        for word in common_words()
        if (length is None or len(word) == length)
        and word.startswith(start)
        and (letters is None or letters.issuperset(word))
        and (ladder is None or (len(word) == len(ladder) and sum(a != b for a, b in zip(word, ladder, strict=True)) == 1))
    ]
    return fitting or common_words()
