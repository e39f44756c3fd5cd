"""What the playground says of its environment: a title, and how to connect to it from Python."""

from __future__ import annotations

import sys
from typing import Any

from ..client import EnvClient
from ..contract.models import EnvironmentMetadata

SAMPLES: dict[str, Any] = {"string": "hello", "integer": 0, "number": 0.0, "boolean": False, "array": [], "object": {}}


def get_gradio_display_title(metadata: EnvironmentMetadata | None, fallback: str = "OpenEnv Environment") -> str:
    """Return the page's title, with the environment's name or, without metadata, `fallback`."""
    return f"OpenEnv Agentic Environment: {metadata.name if metadata else fallback}"


def get_quick_start_markdown(metadata: EnvironmentMetadata | None, action_cls: type[Any], observation_cls: type[Any]) -> str:
    """Return Markdown with a program that plays one step: with the client of the action's package, where it has one.

    Args:
        metadata: names the environment.
        action_cls: where the package, and the fields that must be given, are found.
        observation_cls: what the program prints.
    """
    package = action_cls.__module__.partition(".")[0]
    client = next((name for name, value in vars(sys.modules[package]).items() if _is_client_of(value, package)), None)
    fields = _sample(action_cls)
    if client is not None and hasattr(sys.modules[package], action_cls.__name__):
        imports = f"from {package} import {', '.join(sorted((action_cls.__name__, client)))}"
        action = f"{action_cls.__name__}({', '.join(f'{name}={value!r}' for name, value in fields.items())})"
    else:
        client, imports, action = "GenericEnvClient", "from openenv import GenericEnvClient", repr(fields)
    return (
        f"### Use {metadata.name if metadata else 'this environment'} from Python\n\n"
        f"```python\n{imports}\n\n"
        f'with {client}(base_url="http://localhost:8000").sync() as env:\n'
        f"    env.reset()\n"
        f"    result = env.step({action})\n"
        f"    print(result.observation, result.reward)  # {observation_cls.__name__}\n```\n"
    )


def _is_client_of(value: Any, package: str) -> bool:
    return isinstance(value, type) and issubclass(value, EnvClient) and value.__module__.partition(".")[0] == package


def _sample(action_cls: type[Any]) -> dict[str, Any]:
    schema = action_cls.model_json_schema()
    return {name: _value(schema["properties"][name]) for name in schema.get("required", ())}


def _value(field: dict[str, Any]) -> Any:
    for key in ("const", "minimum"):
        if key in field:
            return field[key]
    return field["enum"][0] if "enum" in field else SAMPLES.get(field.get("type", ""))
