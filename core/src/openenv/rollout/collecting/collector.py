"""The collection of a data set."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from ...errors import ModelError, ModelUnavailable, OpenEnvError, UsageError
from .dataset import DatasetFolder
from .episode import Episode, EpisodePlan
from .policy import Policy
from .served import ServedEnvironment

FAILED_IN_A_ROW = 3
"""After so many episodes that failed, one after another, a collection is given up: what plays them is gone."""
LONGEST_WAIT_S = 30.0


@dataclass(frozen=True)
class CollectionSettings:
    """How much is collected, and what is kept.

    Attributes:
        episodes: how many are played in all; those that are there count.
        seed: decides the seed of each episode.
        prefix: of the episodes' names.
        keep_losses: whether episodes with a reward below 0 are kept.
        tries: how often an episode is played until it does not fail.
        pause_s: before the second try, and twice as long before each further one, unless who failed says how long.
    """

    episodes: int
    seed: int
    prefix: str = "ep"
    keep_losses: bool = False
    tries: int = 3
    pause_s: float = 1.0

    def episode_id(self, number: int) -> str:
        """Return the name of an episode, counted from 0."""
        return f"{self.prefix}-{number:06d}"

    def episode_seed(self, number: int) -> int:
        """Return the seed of an episode, counted from 0: 31 bits that no other number of episodes changes."""
        return int.from_bytes(hashlib.sha256(f"{self.seed}:{number}".encode()).digest()[:4]) >> 1


@dataclass
class Collection:
    """What came of a collection, or of it so far.

    Attributes:
        collected: episodes that were written.
        skipped: that were there already, or were dropped before.
        dropped: losses that were left out.
        failed: that failed at every try; none of them is written, and the next collection plays them again.
        failed_tries: tries that failed, those of episodes that came out well in the end too.
        gave_up: why it ended before its end, or None.
    """

    collected: int = 0
    skipped: int = 0
    dropped: int = 0
    failed: int = 0
    failed_tries: int = 0
    gave_up: str | None = None


Tells = Callable[[str], None]


def collect(
    environment: ServedEnvironment,
    policy: Policy,
    folder: DatasetFolder,
    plan: EpisodePlan,
    settings: CollectionSettings,
    tells: Tells = lambda told: None,
) -> Collection:
    """Play episodes and append each to a folder, whole; those that it has are skipped.

    An episode whose session or model failed is not written: it is played again, with the same seed, up to `settings.tries`
    times, and then counted as failed.

    Args:
        tells: called with a line about each episode and each try that failed.

    Raises:
        UsageError: what is asked for cannot work.
        ModelError: the model's endpoint refuses requests: a wrong key, an unknown model.
    """
    done, in_a_row = Collection(), 0
    for number in range(settings.episodes):
        name = settings.episode_id(number)
        if folder.has(name):
            done.skipped += 1
            continue
        episode = _played(environment, policy, plan, settings, number, done, tells)
        if episode is None:
            done.failed += 1
            in_a_row += 1
            if in_a_row == FAILED_IN_A_ROW and number + 1 < settings.episodes:
                done.gave_up = f"{in_a_row} episodes in a row failed"
                break
            continue
        in_a_row = 0
        if episode.reward < 0 and not settings.keep_losses:
            folder.drop(episode)
            done.dropped += 1
        else:
            folder.append(episode)
            done.collected += 1
        kept = "kept" if episode.episode_id in folder.rewards else "dropped"
        tells(f"{name}: reward {episode.reward:g}, {episode.metrics['turns']} turns, {kept} ({number + 1}/{settings.episodes})")
    return done


def _played(
    environment: ServedEnvironment,
    policy: Policy,
    plan: EpisodePlan,
    settings: CollectionSettings,
    number: int,
    done: Collection,
    tells: Tells,
) -> Episode | None:
    """Play one episode, again where it fails; return None where every try did."""
    name, seed = settings.episode_id(number), settings.episode_seed(number)
    for attempt in range(1, settings.tries + 1):
        try:
            return plan.play(environment, policy, name, seed)
        except OpenEnvError as error:
            if isinstance(error, UsageError) or _is_refused(error):
                raise
            done.failed_tries += 1
            tells(f"{name}: failed, try {attempt} of {settings.tries}: {error.message}")
            if attempt < settings.tries:
                time.sleep(_pause_s(error, settings.pause_s * 2 ** (attempt - 1)))
    return None


def _is_refused(error: OpenEnvError) -> bool:
    """Return whether a model's endpoint will refuse every other request too."""
    status = error.details.get("status_code")
    return isinstance(error, ModelError) and not isinstance(error, ModelUnavailable) and status in (401, 403, 404)


def _pause_s(error: OpenEnvError, otherwise_s: float) -> float:
    asked = error.details.get("retry_after_s")
    return min(otherwise_s if asked is None else float(asked), LONGEST_WAIT_S)
