"""Collecting: episodes played by a policy at a running server, kept as a data set to train on."""

from .collector import Collection, CollectionSettings, collect
from .dataset import DatasetFolder
from .episode import Episode, EpisodePlan
from .policy import ModelPolicy, Policy, Script, ScriptedPolicy
from .recipe import Recipe
from .served import ServedEnvironment
from .teacher import Teacher

__all__ = [
    "Collection",
    "CollectionSettings",
    "DatasetFolder",
    "Episode",
    "EpisodePlan",
    "ModelPolicy",
    "Policy",
    "Recipe",
    "Script",
    "ScriptedPolicy",
    "ServedEnvironment",
    "Teacher",
    "collect",
]
