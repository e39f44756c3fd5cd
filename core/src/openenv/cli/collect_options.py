"""What `openenv collect` may be told."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Provider(StrEnum):
    """Who plays."""

    SCRIPTED = "scripted"
    OPENAI = "openai"
    ANTHROPIC = "anthropic"


Env = Annotated[str, typer.Argument(metavar="ENV", help="What the server serves: NAME, or NAME:VARIANT as openspiel:chess.")]
BaseUrl = Annotated[str, typer.Option(help="The running server, http://host:port.")]
OutputDir = Annotated[Path, typer.Option("--output-dir", "-o", help="Where results.jsonl and metadata.json are written.")]
NumEpisodes = Annotated[int, typer.Option("--num-episodes", "-n", min=0, help="Episodes in all, with those there.")]
MaxTurns = Annotated[int, typer.Option(min=1, help="Turns after which an episode is left.")]
EpisodeIdPrefix = Annotated[str, typer.Option(help="How the episodes' names begin.")]
Resume = Annotated[
    bool, typer.Option("--resume/--no-resume", help="Go on with what is there, or move it aside and begin anew.")
]
Who = Annotated[Provider, typer.Option(help="Who plays: a script, or a model by whose wire format.")]
Model = Annotated[str | None, typer.Option(help="The model's name, where a model plays.")]
LlmEndpoint = Annotated[
    str | None, typer.Option(help="A model's server of your own (vLLM, Ollama …).", show_default="the provider's")
]
LlmPort = Annotated[int | None, typer.Option(help="Its port.", show_default="as in the URL")]
Temperature = Annotated[float, typer.Option(help="What the model is sampled with.")]
MaxTokens = Annotated[int, typer.Option(min=1, help="The longest answer of the model.")]
SystemPrompt = Annotated[
    str | None, typer.Option(help="What the model is told first.", show_default="to play by calling tools")
]
KeepLosses = Annotated[bool, typer.Option("--keep-losses", help="Keep episodes with a reward below 0 too.")]
DatasetConfig = Annotated[str | None, typer.Option(metavar="JSON", help="What the reset is given as dataset_config.")]
Reset = Annotated[str, typer.Option("--reset", metavar="JSON", help="What else every reset is given.")]
Seed = Annotated[
    int | None, typer.Option(help="Decides each episode's seed.", show_default="that of what is there, or a fresh one")
]
Tries = Annotated[int, typer.Option(min=1, help="How often an episode that fails is played.")]
Timeout = Annotated[float, typer.Option(min=0.1, help="Seconds that one answer of the server may take.")]
PushToHub = Annotated[
    str | None, typer.Option("--push-to-hub", "-H", metavar="REPO", help="Push the data set to OWNER/NAME on the Hub.")
]
Private = Annotated[bool, typer.Option("--private", help="Only its owner may see it there.")]
CommitMessage = Annotated[
    str | None, typer.Option(help="What the commit there says.", show_default="how many episodes, and of what")
]
