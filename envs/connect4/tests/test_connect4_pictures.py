"""Boards for people and for language models to look at."""

from __future__ import annotations

from xml.etree import ElementTree

from connect4_env import Connect4Action
from connect4_env.server.environment import Connect4Environment

SVG = "{http://www.w3.org/2000/svg}"


def test_the_text_shows_every_stone_and_who_is_to_move() -> None:
    environment = Connect4Environment()
    environment.reset()
    assert environment.render()["text/plain"].endswith("0 1 2 3 4 5 6\nX to move")
    for column in (3, 2, 3, 3):
        observation = environment.step(Connect4Action(column=column))
    empty = ". . . . . . .\n"
    expected = 3 * empty + ". . . O . . .\n. . . X . . .\n. . O X . . .\n0 1 2 3 4 5 6\nX to move"
    assert environment.render()["text/plain"] == observation.board_text == expected


def test_the_svg_has_every_stone_and_rings_the_winning_line() -> None:
    environment = Connect4Environment()
    environment.reset()
    for column in (0, 1, 1, 2, 2, 3, 2, 3, 3, 6, 3):
        observation = environment.step(Connect4Action(column=column))
    assert observation.board_text.endswith("X has won")
    root = ElementTree.fromstring(environment.render()["image/svg+xml"])
    assert root.findtext(f"{SVG}title") == "Connect Four: X has won"
    circles = root.findall(f"{SVG}circle")
    fills = [circle.get("fill") for circle in circles]
    assert (len(fills), sorted(fills.count(fill) for fill in set(fills))) == (42, [5, 6, 31])
    ringed = [divmod(at, 7) for at, circle in enumerate(circles) if circle.get("stroke")]
    assert ringed == [(2, 3), (3, 2), (4, 1), (5, 0)]
    assert {fills[7 * row + column] for row, column in ringed} == {"#d1495b"}


def test_the_ways_a_game_ends_are_told() -> None:
    environment = Connect4Environment()
    environment.reset(invalid_move="lose")
    assert environment.step(Connect4Action(column=9)).board_text.endswith("O has won")
    environment.reset()
    for column in "012345" * 2 + "6" + "012345" * 2 + "666" + "012345" * 2 + "66":
        observation = environment.step(Connect4Action(column=int(column)))
    assert (observation.done, observation.winner, observation.board_text.splitlines()[-1]) == (True, 0, "a draw")
