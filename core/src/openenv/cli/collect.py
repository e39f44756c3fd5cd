"""`openenv collect`: play episodes at a running server and keep them as a data set."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import SystemRandom
from typing import Any

import typer

from ..errors import OpenEnvError, UsageError
from ..hub.dataset import DatasetRepository
from ..rollout.collecting import Collection, CollectionSettings, DatasetFolder, Recipe, Teacher
from ..rollout.collecting import collect as play_and_keep
from ..rollout.collecting.dataset import recorded
from ..testing.scripted import FirstLegal
from . import collect_options as given
from .exits import FAILED
from .progress import progress


def collect(
    env: given.Env,
    base_url: given.BaseUrl,
    output_dir: given.OutputDir,
    num_episodes: given.NumEpisodes = 10,
    max_turns: given.MaxTurns = 9,
    episode_id_prefix: given.EpisodeIdPrefix = "ep",
    resume: given.Resume = True,
    provider: given.Who = given.Provider.SCRIPTED,
    model: given.Model = None,
    llm_endpoint: given.LlmEndpoint = None,
    llm_port: given.LlmPort = None,
    temperature: given.Temperature = 0.2,
    max_tokens: given.MaxTokens = 200,
    keep_losses: given.KeepLosses = False,
    system_prompt: given.SystemPrompt = None,
    dataset_config: given.DatasetConfig = None,
    reset: given.Reset = "{}",
    seed: given.Seed = None,
    tries: given.Tries = 3,
    timeout: given.Timeout = 60.0,
    push_to_hub: given.PushToHub = None,
    private: given.Private = False,
    commit_message: given.CommitMessage = None,
) -> None:
    """Play episodes at a running server, by a script or a language model, and keep them as a data set.

    What failed is never kept as a result: it is played again, and told.
    """
    teacher = Teacher.of(provider.value, model, llm_endpoint, llm_port, system_prompt, temperature, max_tokens)
    options = _reset_options(reset, dataset_config)
    chosen = _seed(seed, recorded(output_dir) if resume else None)
    settings = CollectionSettings(num_episodes, chosen, episode_id_prefix, keep_losses, tries)
    recipe = Recipe(env, base_url, teacher, settings, max_turns, timeout, options)
    repository = _repository(push_to_hub, private, commit_message)
    with _redacted(teacher):
        done = _collected(recipe, output_dir, resume, repository, commit_message)
    if done.failed:
        raise typer.Exit(FAILED)


def _collected(
    recipe: Recipe, output_dir: Path, resume: bool, repository: DatasetRepository | None, message: str | None
) -> Collection:
    """Play, tell what came of it, and push it where that is wanted."""
    with recipe.teacher.policy(FirstLegal()) as policy:
        with progress(f"asking {recipe.place}"):
            environment = recipe.environment()
        with DatasetFolder.opened(output_dir, recipe.metadata(), resume=resume) as folder:
            with progress(f"collecting {recipe.settings.episodes} episodes") as tells:
                done = play_and_keep(
                    environment,
                    policy,
                    folder,
                    recipe.plan,
                    recipe.settings,
                    lambda told: tells(recipe.teacher.redacted(told)),
                )
            _told(done, folder)
            if repository is not None:
                _push(folder, recipe, repository, message)
    return done


@contextmanager
def _redacted(teacher: Teacher) -> Iterator[None]:
    """Take the model's key out of what is told of an error."""
    try:
        yield
    except OpenEnvError as error:
        error.message = teacher.redacted(error.message)
        raise


def _repository(repo_id: str | None, private: bool, message: str | None) -> DatasetRepository | None:
    """Return where the data set is to be pushed, with whoever pushes it known there; that is told before anything is played."""
    if repo_id is None:
        if private or message is not None:
            raise UsageError("--private and --commit-message are of a push: add --push-to-hub OWNER/NAME, or leave them out")
        return None
    repository = DatasetRepository(repo_id, private=private)
    with progress("asking the Hub"):
        repository.sign_in()
    return repository


def _push(folder: DatasetFolder, recipe: Recipe, repository: DatasetRepository, message: str | None) -> None:
    if not folder.rewards:
        typer.echo(f"there is no episode to push to {repository.repo_id}", err=True)
        return
    with progress(f"pushing to {repository.repo_id}"):
        repository.push(folder.files, recipe.card(), message or f"{len(folder.rewards)} episodes of {recipe.env}")
    typer.echo(f"pushed {repository.repo_id}: {repository.url}")
    typer.echo()
    typer.echo("from datasets import load_dataset")
    typer.echo(f'episodes = load_dataset("{repository.repo_id}", split="train")')


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


def _seed(wanted: int | None, there: dict[str, Any] | None) -> int:
    """Return the seed that is given, else that of what is there, else a fresh one."""
    if wanted is not None:
        return wanted
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
