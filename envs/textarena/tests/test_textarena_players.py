"""Games of several players: who speaks when, and who hears what."""

from __future__ import annotations

from textarena_env import TextArenaAction, TextArenaObservation
from textarena_env.policies import RandomPolicy
from textarena_env.server.environment import TextArenaEnvironment


def say(environment: TextArenaEnvironment, message: str) -> TextArenaObservation:
    return environment.step(TextArenaAction(message=message))


def test_only_what_is_new_is_told() -> None:
    environment = TextArenaEnvironment("Wordle-v0")
    first = environment.reset(seed=0)
    assert [(message.category, message.sender_id) for message in first.messages] == [("PROMPT", -1)]
    assert first.messages[0].content == first.prompt
    for word in ("crane", "sight"):
        told = say(environment, f"[{word}]").messages
        assert [(message.category, message.sender_id) for message in told] == [("PLAYER_ACTION", 0), ("GAME_MESSAGE", -1)]
        assert word in told[0].content
        assert f"[{word}]" in told[1].content


def test_the_client_may_play_every_seat() -> None:
    environment = TextArenaEnvironment("TicTacToe-v0", opponent_policy="none")
    observation = environment.reset(seed=0)
    assert environment.state.agent_player is None
    players = []
    for square in (0, 3, 1, 4, 2):
        players.append(observation.current_player_id)
        assert observation.prompt.startswith(f"You are Player {players[-1]} ")
        assert f"[{square}]" not in "".join(m.content for m in observation.messages if m.category == "PLAYER_ACTION")
        observation = say(environment, f"[{square}]")
    assert players == [0, 1, 0, 1, 0]
    assert (observation.reward, observation.info["rewards"]) == (1.0, {"0": 1.0, "1": -1.0})
    assert observation.current_player_id == 0


def test_each_seat_hears_what_it_missed() -> None:
    environment = TextArenaEnvironment("DontSayIt-v0", opponent_policy="none")
    environment.reset(seed=0)
    said = ["red", "green", "blue", "white"]
    heard = [[m.content for m in say(environment, word).messages if m.category == "PLAYER_ACTION"] for word in said]
    assert heard == [["red"], ["red", "green"], ["green", "blue"], ["blue", "white"]]


def test_the_server_plays_the_other_seats() -> None:
    for env_id, seat in (("TicTacToe-v0", 1), ("SecretMafia-v0", 3), ("Codenames-v0", 2), ("Poker-v0-small", 1)):
        environment = TextArenaEnvironment(max_turns=20)
        observation = environment.reset(seed=4, env_id=env_id, agent_player=seat)
        player, others = RandomPolicy(0), 0
        while not observation.done:
            assert observation.current_player_id == seat
            others += len(observation.messages)
            observation = environment.step(TextArenaAction(message=player.select_action(observation)))
        assert environment.state.step_count > 1
        assert environment.state.turn > environment.state.step_count, "others have had turns between the agent's"
        assert others


def test_the_number_of_players_is_the_callers() -> None:
    environment = TextArenaEnvironment("LiarsDice-v0")
    assert environment.reset(seed=0).prompt.startswith("You are Player 0 in an 2-player")
    assert "5-player" in environment.reset(num_players=5).prompt
    assert environment.state.num_players == 5
    environment.reset(env_id="SecretMafia-v0")
    assert environment.state.num_players == 6


def test_what_a_reset_chooses_holds_for_its_episode_only() -> None:
    environment = TextArenaEnvironment("LiarsDice-v0", num_players=3, max_turns=7, env_kwargs={"num_dice": 2})
    usual = environment.reset(seed=0)
    choices = {"num_players": 4, "agent_player": 1, "opponent_policy": "none", "max_turns": 1, "env_kwargs": {"num_dice": 1}}
    for chosen in (choices, {**choices, "env_id": "LiarsDice-v0-large"}, {"env_id": "Wordle-v0"}):
        assert environment.reset(seed=0, **chosen) != usual
        assert environment.state.max_turns == chosen.get("max_turns", 7)
        assert environment.reset(seed=0) == usual
        state = environment.state
        assert (state.env_id, state.num_players, state.agent_player) == ("LiarsDice-v0", 3, 0)
        assert (state.max_turns, state.opponent_policy) == (7, "random")


def test_another_players_card_is_not_told() -> None:
    """Deals in which the agent holds the same card look alike until the cards are shown."""
    environment = TextArenaEnvironment("KuhnPoker-v0", opponent_policy="none")
    views: dict[str, set[str]] = {}
    cards = set()
    for seed in range(60):
        observation = environment.reset(seed=seed)
        game = environment._match.game.inner  # type: ignore[union-attr]
        own, other = (
            game.state.game_state["player_cards"][p] for p in (observation.current_player_id, 1 - observation.current_player_id)
        )
        cards.add((own, other))
        view = (observation.model_dump_json(), environment.render()["text/plain"])
        views.setdefault(f"{own}/{observation.current_player_id}", set()).add(str(view))
    assert len(cards) == 6
    assert {len(seen) for seen in views.values()} == {1}


def test_the_raw_variant_takes_messages_as_they_are() -> None:
    for env_id, refused in (("Wordle-v0", False), ("Wordle-v0-raw", True)):
        environment = TextArenaEnvironment(env_id)
        environment.reset(seed=0)
        assert say(environment, "crane").info["invalid_move"] == refused


def test_render_shows_the_board_as_text_and_picture() -> None:
    environment = TextArenaEnvironment("ConnectFour-v0")
    environment.reset(seed=0)
    picture = environment.render()
    assert picture["text/plain"].startswith("Board state:\n0 1 2 3 4 5 6")
    assert picture["image/svg+xml"].count("<text") == len(picture["text/plain"].splitlines())
