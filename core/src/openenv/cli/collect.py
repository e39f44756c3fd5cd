"""`openenv collect`: play episodes at a running server and keep them as a data set."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from random import SystemRandom
from typing import Annotated, Any

import typer

from ..errors import OpenEnvError, UsageError
from ..rollout.collecting import Collection, CollectionSettings, DatasetFolder, EpisodePlan, ServedEnvironment, Teacher
from ..rollout.collecting import collect as play_and_keep
from ..rollout.collecting.dataset import recorded
from ..rollout.collecting.teacher import without_secrets
from ..testing.scripted import FirstLegal
from ..version import __version__
from .exits import FAILED
from .progress import progress


class Provider(StrEnum):
    """Who plays."""

    SCRIPTED = "scripted"
    OPENAI = "openai"
    ANTHROPIC = "anthropic"


def collect(
    env: Annotated[
        str, typer.Argument(metavar="ENV", help="What the server serves: NAME, or NAME:VARIANT as openspiel:chess.")
    ],
    base_url: Annotated[str, typer.Option(help="The running server, http://host:port.")],
    output_dir: Annotated[Path, typer.Option("--output-dir", "-o", help="Where results.jsonl and metadata.json are written.")],
    num_episodes: Annotated[int, typer.Option("--num-episodes", "-n", min=0, help="Episodes in all, with those there.")] = 10,
    max_turns: Annotated[int, typer.Option(min=1, help="Turns after which an episode is left.")] = 9,
    episode_id_prefix: Annotated[str, typer.Option(help="How the episodes' names begin.")] = "ep",
    resume: Annotated[
        bool, typer.Option("--resume/--no-resume", help="Go on with what is there, or move it aside and begin anew.")
    ] = True,
    provider: Annotated[
        Provider, typer.Option(help="Who plays: a script, or a model by whose wire format.")
    ] = Provider.SCRIPTED,
    model: Annotated[str | None, typer.Option(help="The model's name, where a model plays.")] = None,
    llm_endpoint: Annotated[
        str | None, typer.Option(help="A model's server of your own (vLLM, Ollama …).", show_default="the provider's")
    ] = None,
    llm_port: Annotated[int | None, typer.Option(help="Its port.", show_default="as in the URL")] = None,
    temperature: Annotated[float, typer.Option(help="What the model is sampled with.")] = 0.2,
    max_tokens: Annotated[int, typer.Option(min=1, help="The longest answer of the model.")] = 200,
    keep_losses: Annotated[bool, typer.Option("--keep-losses", help="Keep episodes with a reward below 0 too.")] = False,
    system_prompt: Annotated[
        str | None, typer.Option(help="What the model is told first.", show_default="to play by calling tools")
    ] = None,
    dataset_config: Annotated[
        str | None, typer.Option(metavar="JSON", help="What the reset is given as dataset_config.")
    ] = None,
    reset: Annotated[str, typer.Option("--reset", metavar="JSON", help="What else every reset is given.")] = "{}",
    seed: Annotated[
        int | None, typer.Option(help="Decides each episode's seed.", show_default="that of what is there, or a fresh one")
    ] = None,
    tries: Annotated[int, typer.Option(min=1, help="How often an episode that fails is played.")] = 3,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds that one answer of the server may take.")] = 60.0,
) -> None:
    """Play episodes at a running server, by a script or a language model, and keep them as a data set.

    What failed is never kept as a result: it is played again, and told.
    """
    teacher = Teacher.of(provider.value, model, llm_endpoint, llm_port, system_prompt, temperature, max_tokens)
    options = _reset_options(reset, dataset_config)
    there = recorded(output_dir) if resume else None
    chosen = _seed(seed, there)
    plan = EpisodePlan(env, teacher.label, teacher.model, teacher.system_prompt, max_turns, timeout)
    settings = CollectionSettings(num_episodes, chosen, episode_id_prefix, keep_losses, tries)
    metadata = {
        "env": env,
        "env_base_url": without_secrets(base_url),
        **teacher.described(),
        "num_episodes_requested": num_episodes,
        "keep_losses": keep_losses,
        "max_turns": max_turns,
        "episode_id_prefix": episode_id_prefix,
        "reset_options": options,
        "seed": chosen,
        "collected_with": f"openenv-core {__version__}",
    }
    try:
        with teacher.policy(FirstLegal()) as policy:
            with progress(f"asking {without_secrets(base_url)}"):
                environment = ServedEnvironment.at(base_url, env, options, timeout_s=timeout)
            with DatasetFolder.opened(output_dir, metadata, resume=resume) as folder:
                with progress(f"collecting {num_episodes} episodes") as tells:
                    done = play_and_keep(
                        environment, policy, folder, plan, settings, lambda told: tells(teacher.redacted(told))
                    )
                _told(done, folder)
    except OpenEnvError as error:
        error.message = teacher.redacted(error.message)
        raise
    if done.failed:
        raise typer.Exit(FAILED)


def _reset_options(reset: str, dataset_config: str | None) -> dict[str, Any]:
    options = _object("--reset", reset)
    return options if dataset_config is None else {**options, "dataset_config": _object("--dataset-config", dataset_config)}


def _object(option: str, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(f"{option} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise UsageError(f"{option} must be a JSON object, such as '{{\"min_terms\": 2}}'")
    return value


def _seed(given: int | None, there: dict[str, Any] | None) -> int:
    """Return the seed that is given, else that of what is there, else a fresh one."""
    if given is not None:
        return given
    known = (there or {}).get("seed")
    return known if isinstance(known, int) else SystemRandom().getrandbits(31)


def _told(done: Collection, folder: DatasetFolder) -> None:
    """Print what came of it, and of all that the folder holds."""
    typer.echo(f"collected {done.collected}, skipped {done.skipped}, dropped {done.dropped}, failed {done.failed}")
    if rewards := list(folder.rewards.values()):
        won = sum(reward > 0 for reward in rewards) / len(rewards)
        typer.echo(
            f"{folder.results}: {len(rewards)} episodes, average reward {sum(rewards) / len(rewards):.3f}, {won:.0%} above 0"
        )
    if done.gave_up is not None:
        typer.echo(f"gave up, for {done.gave_up}", err=True)
    if done.failed:
        typer.echo("what failed is not in the data set; the same command tries it again", err=True)
