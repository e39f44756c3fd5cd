"""Run by the published package's python: prints as JSON what it offers, module by module, and how it may be called.

`python introspect.py > public_api.json` renews what `test_published_paths.py` compares with.
"""

import enum
import importlib
import inspect
import json
import warnings

from pydantic import BaseModel

warnings.simplefilter("ignore")

ROOTS = {
    "openenv": ["", "auto", "auto.auto_env", "auto.auto_action"],
    "openenv.core": [
        "",
        "client_types",
        "env_client",
        "generic_client",
        "sync_client",
        "mcp_client",
        "utils",
        "containers.runtime",
        "containers.runtime.providers",
        "containers.runtime.uv_provider",
        "env_server",
        "env_server.types",
        "env_server.interfaces",
        "env_server.base_transforms",
        "env_server.exceptions",
        "env_server.http_server",
        "env_server.serialization",
        "env_server.mcp_types",
        "env_server.mcp_environment",
        "env_server.web_interface",
        "rubrics",
        "rubrics.base",
        "rubrics.containers",
        "rubrics.trajectory",
        "rubrics.llm_judge",
        "llm_client",
        "tools",
        "tools.git_server_client",
        "evals",
        "evals.base",
        "evals.types",
        "evals.inspect_harness",
        "harness",
    ],
}
PLAIN = {"RESERVED_TOOL_NAMES", "WSIncomingMessage"}
HOOKS = {
    *("_step_payload", "_parse_result", "_parse_state", "_apply_transform", "_apply_rubric", "_reset_rubric", "__call__"),
}


def parameters(function):
    """Return [name, kind, whether it may be left out] of each parameter after `self`."""
    found = inspect.signature(function).parameters.values()
    return [[p.name, p.kind.name, p.default is not p.empty] for p in found if p.name not in ("self", "cls")]


def described(value):
    if not isinstance(value, type):
        return {"kind": "function", "parameters": parameters(value)} if inspect.isfunction(value) else {"kind": "value"}
    if issubclass(value, enum.Enum):
        return {"kind": "enum", "values": {member.name: member.value for member in value}}
    entry = {"kind": "class", "methods": {}}
    for cls in reversed(value.__mro__):
        if cls.__module__.startswith("openenv"):
            for name, member in vars(cls).items():
                if name.startswith("_") and name not in HOOKS:
                    continue
                inner = getattr(member, "__func__", member)
                if inspect.isfunction(inner):
                    entry["methods"][name] = parameters(inner)
                elif isinstance(member, property):
                    entry["methods"][name] = None
    if issubclass(value, BaseModel):
        entry["kind"] = "model"
        entry["extra"] = value.model_config.get("extra")
        entry["fields"] = {name: field.is_required() for name, field in value.model_fields.items()}
    elif value.__init__ is not object.__init__ and not getattr(value, "_is_protocol", False):
        entry["parameters"] = parameters(value.__init__)
    return entry


modules, things = {}, {}
for root, parts in ROOTS.items():
    for part in parts:
        path = f"{root}.{part}".rstrip(".")
        module = importlib.import_module(path)
        listed = set(dir(module)) | set(getattr(module, "__all__", ()))
        names = []
        for name in sorted(listed):
            value = getattr(module, name, None)
            ours = str(getattr(value, "__module__", "")).startswith("openenv")
            if name.startswith("_") or not (ours or name in PLAIN) or type(value).__name__ == "TypeVar":
                continue
            home = f"{value.__module__}.{value.__qualname__}" if isinstance(value, type) or inspect.isfunction(value) else name
            names.append([name, home])
            things[home] = described(value)
        modules[path] = names

print(json.dumps({"modules": modules, "things": things}, separators=(",", ":"), sort_keys=True))
