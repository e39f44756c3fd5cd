"""The patterns with which TextArena 0.7.4 reads messages, where they take very long over thousands of brackets or spaces.

Python lets no other thread work while it matches, so one message would hold up every session of a server. The patterns here
find the same in a time that grows with the message and not with its square or cube (with Tak's, a small part of its square:
about 0.2 s for the longest message). TextArena's modules are given `RE` in the place of `re`, see `modules`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

SAME_IN_LESS_TIME: Mapping[str, str] = {
    # Bandit, Taboo, Poker, SecretMafia and ConnectFour search, and read the groups only: one try a line is enough
    r"\[(.*)\]": r"(?m)^[^\[\n]*+\[(.*)\]",
    r"\[(.*?)\]": r"(?m)^[^\[\n]*+\[(.*?)\]",
    r"\[call.*\]": r"(?m)^(?>.*?\[call).*\]",
    r".*\[(?:player\s*)?(\d+)\].*": r"(?m)^.*\[(?:player\s*+)?(\d++)\]",
    r".*\[(?:col\s*)?(\d+)\].*": r"(?m)^.*\[(?:col\s*+)?(\d++)\]",
    # ColonelBlotto: the first bracket that is not closed at once, and the fields in it
    r"\[([^\]]+)\]": r"\A(?:[^\[]++|\[\])*+\[([^\]]++)\]",
    r"([A-Za-z])\s*:?\s*(\d+)": r"([A-Za-z])\s*+(?::\s*+)?(\d++)",
    # MarketEntryGame, PublicGoodsGame: a brace never closed is found once, as an empty message, which they leave out
    r"\{([^}]*)\}": r"\{([^}]*+)\}|\{[^}]*+\Z",
    # SimpleNegotiation, SettlersOfCatan: an offer is looked into where it is closed, and ends before the blanks at its end
    r"\[Offer:?\s*(?:I\s+(?:give|offer)\s+)?([^\[\]]+?)\s*\.*\]": (
        r"\[Offer:?(?=[^\[\]]*+\])\s*(?:I\s+(?:give|offer)\s+)?"
        r"([^\[\]](?:[^\[\]]*?[^\[\]\s](?!(?<=\.)\.))??)\s*+\.*+\]"
    ),
    r"\[offer:?\s*(?:i\s+(?:give|offer)\s+)?([^\[\]]+?)\s*\]": (
        r"\[offer:?(?=[^\[\]]*+\])\s*(?:i\s+(?:give|offer)\s+)?([^\[\]](?:[^\[\]]*?[^\[\]\s])??)\s*+\]"
    ),
    r"[.,!?]+$": r"(?<![.,!?])[.,!?]++$",
    r"(\d+)\s+([A-Za-z]+)": r"(?<!\d)(\d++)\s++([A-Za-z]++)",
    # Tak: the braces end before the first bracket that follows one
    r"\[(place|move)\s\((\d+,\d+|\s*)\)\s({.*?})\]": (
        r"\[(place|move)\s\((\d+,\d+|\s*)\)\s(\{[^}\n]*+(?:\}(?!\])[^}\n]*+)*+\})\]"
    ),
    # Othello, UltimateTicTacToe, TowerOfHanoi, PegJump, LiarsDice, LinesOfAction: blanks are shared out in one way
    r"\[\s*(\d+)\s*,?\s*(\d+)\s*\]": (r"\[(?=\s*+\d++\s*+(?:,?\s*+\d++\s*+)?\])\s*+(\d+)\s*+(?:,\s*+)?(\d++)\s*+\]"),
    r"\[\s*(\d)\s*,?\s*(\d)\s*\]": r"\[\s*+(\d)\s*+(?:,\s*+)?(\d)\s*+\]",
    r"\[([ABCabc])\s*,?\s*([ABCabc])\]": r"\[([ABCabc])\s*+(?:,\s*+)?([ABCabc])\]",
    r"\[(\d{1,2})\s*\s*(\d{1,2})\]": r"\[(\d{1,2})\s*+(\d{1,2})\]",
    r"\[bid\s*:?\s*(\d+)[,\s]+(\d+)\]": r"\[bid\s*+(?::\s*+)?(\d++)[,\s]++(\d++)\]",
    r"\s*\[?([a-h][1-8])[\s>]*([a-h][1-8])\]?\s*$": r"([a-h][1-8])[\s>]*+([a-h][1-8])\]?\s*+$",
}
"""By TextArena's pattern: one that finds the same for the game that has it."""


def _in_less_time(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(pattern: Any, *args: Any, **kwargs: Any) -> Any:
        return function(SAME_IN_LESS_TIME.get(pattern, pattern), *args, **kwargs)

    return call


RE = ModuleType("re", re.__doc__)
RE.__dict__.update(vars(re))
for _name in ("compile", "findall", "finditer", "search", "split", "sub"):
    setattr(RE, _name, _in_less_time(getattr(re, _name)))
