"""`openenv.core.env_server.web_interface`: what environments out there import of it."""

from ...contract import (
    Environment,
)
from ...contract.generics import (
    overrides_method,
)
from ...contract.models import (
    Action,
    EnvironmentMetadata,
    Observation,
    State,
)
from ...server import (
    create_web_interface_app,
)
from ...sessions.offers import (
    load_environment_metadata,
)
from ...web import (
    ActionLog,
    EpisodeState,
    WebInterfaceManager,
    get_gradio_display_title,
    get_quick_start_markdown,
)
from ...web.gradio_page import (
    build_gradio_app,
)
from ...wire.serialization import (
    deserialize_action_with_preprocessing,
    serialize_observation,
)

__all__ = [
    "Action",
    "ActionLog",
    "Environment",
    "EnvironmentMetadata",
    "EpisodeState",
    "Observation",
    "State",
    "WebInterfaceManager",
    "build_gradio_app",
    "create_web_interface_app",
    "deserialize_action_with_preprocessing",
    "get_gradio_display_title",
    "get_quick_start_markdown",
    "load_environment_metadata",
    "overrides_method",
    "serialize_observation",
]
