"""The playground: an environment's page for people, to look at its episodes and act in them by hand."""

from .models import ActionLog, EpisodeState
from .play import WebInterfaceManager
from .welcome import get_gradio_display_title, get_quick_start_markdown

__all__ = [
    "ActionLog",
    "EpisodeState",
    "WebInterfaceManager",
    "get_gradio_display_title",
    "get_quick_start_markdown",
]
