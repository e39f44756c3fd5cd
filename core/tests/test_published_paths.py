"""What the published package offers under its names is here under the same ones, and takes the same calls.

`published/public_api.json` says what it offers; `published/introspect.py` makes it.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

import openenv

API = json.loads((Path(__file__).parent / "published" / "public_api.json").read_text())
PACKAGE = Path(openenv.__file__).parent

NOT_YET: dict[str, set[str]] = {}
"""Names that nothing here stands behind yet, by the part of the project that brings them."""

OTHERWISE = {
    ("EnvClient", "step"): "an argument that no environment would see is an error",
    ("SyncEnvClient", "step"): "the same",
    ("Environment", "step"): "takes what a subclass declares",
    ("OpenEnvError", "__init__"): "wants a message",
}
"""What takes other calls than there, and why; in the classes that inherit it too."""

MISSING = set().union(*NOT_YET.values())


def listed() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, names in API["modules"].items():
        for name, home in names:
            yield path, name, API["things"][home]


def found(path: str, name: str) -> Any:
    """Return what stands under a published name, or None."""
    try:
        return getattr(importlib.import_module(path), name, None)
    except ModuleNotFoundError as error:
        if error.name is None or not path.startswith(error.name):
            raise
        return None


HERE = [(path, name, entry) for path, name, entry in listed() if name not in MISSING]
CLASSES = {name: (path, entry) for path, name, entry in HERE if entry["kind"] in ("class", "model")}


def test_every_name_is_at_its_path() -> None:
    assert [f"{path}.{name}" for path, name, _ in HERE if found(path, name) is None] == []


def test_the_older_name_is_the_same_package() -> None:
    for path, name, _ in HERE:
        if path.startswith("openenv.core"):
            older = found(path.replace("openenv.core", "openenv_core", 1), name)
            assert older is found(path, name), f"{path}.{name}"


def test_what_has_come_is_taken_off_the_list() -> None:
    """Nothing that stands on the list of what is missing may be here: not at its path, and not anywhere else either."""
    exported = {f"{path}.{name}" for path, name, _ in listed() if name in MISSING and found(path, name) is not None}
    assert exported == set(), "export these everywhere, and take them off NOT_YET"
    defined = {}
    for file in PACKAGE.rglob("*.py"):
        for node in ast.parse(file.read_text()).body:
            names = [target.id for target in getattr(node, "targets", []) if isinstance(target, ast.Name)]
            names += [node.name] if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) else []
            defined.update({name: file.relative_to(PACKAGE) for name in names if name in MISSING})
    assert defined == {}, "these have come: export them under openenv.core, and take them off NOT_YET"


def test_the_list_of_what_is_missing_names_only_what_is_published() -> None:
    assert MISSING - {name for _, name, _ in listed()} == set()


def parameters(function: Any) -> list[inspect.Parameter]:
    return [p for p in inspect.signature(function).parameters.values() if p.name not in ("self", "cls")]


def refused(theirs: list[list[Any]], ours: list[inspect.Parameter]) -> list[str]:
    """Say which calls that their parameters allow ours would not take."""
    by_name = {p.name: p for p in ours}
    kinds = {p.kind for p in ours}
    said = []
    for place, (name, kind, optional) in enumerate(theirs):
        mine = by_name.get(name)
        if kind in ("VAR_POSITIONAL", "VAR_KEYWORD"):
            if getattr(inspect.Parameter, kind) not in kinds:
                said.append(f"no *{name}")
        elif mine is None:
            if inspect.Parameter.VAR_KEYWORD not in kinds or kind == "POSITIONAL_OR_KEYWORD":
                said.append(f"no {name}")
        elif optional and mine.default is mine.empty and mine.kind not in (mine.VAR_KEYWORD, mine.VAR_POSITIONAL):
            said.append(f"{name} must be given")
        elif kind == "POSITIONAL_OR_KEYWORD" and (ours.index(mine) != place or mine.kind is mine.KEYWORD_ONLY):
            said.append(f"{name} is not number {place + 1}")
    names = {name for name, _, _ in theirs}
    variable = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    said += [f"wants {p.name}" for p in ours if p.name not in names and p.default is p.empty and p.kind not in variable]
    return said


def test_functions_take_the_same_calls() -> None:
    for path, name, entry in HERE:
        if entry["kind"] == "function":
            assert refused(entry["parameters"], parameters(found(path, name))) == [], f"{path}.{name}"


@pytest.mark.parametrize("name", sorted(name for name, (_, entry) in CLASSES.items() if entry["kind"] == "class"))
def test_classes_take_the_same_calls(name: str) -> None:
    path, entry = CLASSES[name]
    cls = found(path, name)
    calls = {"__init__": entry.get("parameters"), **entry["methods"]}
    family = [base.__name__ for base in cls.__mro__]
    for method, theirs in calls.items():
        if any((base, method) in OTHERWISE for base in family):
            continue
        assert hasattr(cls, method), f"{path}.{name}.{method}"
        if theirs is not None and not (method == "__init__" and cls.__init__ is object.__init__):
            ours = parameters(getattr(cls, method))
            assert refused(theirs, ours) == [], f"{path}.{name}.{method}"


@pytest.mark.parametrize("name", sorted(name for name, (_, entry) in CLASSES.items() if entry["kind"] == "model"))
def test_models_have_the_same_fields(name: str) -> None:
    path, entry = CLASSES[name]
    model = found(path, name)
    assert issubclass(model, BaseModel)
    assert model.model_config.get("extra") == entry["extra"]
    required = {field: model.model_fields[field].is_required() for field in entry["fields"]}
    assert required == entry["fields"]
    own = model.model_fields.keys() - entry["fields"].keys()
    assert [field for field in own if model.model_fields[field].is_required()] == []
    assert [method for method in entry["methods"] if not hasattr(model, method)] == []


def test_enumerations_have_the_same_values() -> None:
    enums = [(found(path, name), entry) for path, name, entry in HERE if entry["kind"] == "enum"]
    assert len(enums) >= 3
    for enum, entry in enums:
        assert {member.name: member.value for member in enum} == entry["values"]


def test_the_exceptions_to_the_rule_are_still_exceptions() -> None:
    """An entry of OTHERWISE that takes the same calls by now has to go."""
    for name, method in OTHERWISE:
        path, entry = CLASSES[name]
        theirs = entry.get("parameters") if method == "__init__" else entry["methods"].get(method)
        assert theirs is None or refused(theirs, parameters(getattr(found(path, name), method))), (name, method)


@pytest.mark.parametrize(
    "statement",
    [
        "from openenv.core.env_server import Action, Environment, Observation, State",
        "from openenv.core import EnvClient; from openenv.core.client_types import StepResult",
        "from openenv_core.env_server.types import Action; from openenv_core.env_client import EnvClient",
    ],
)
def test_models_and_clients_need_no_web_framework(statement: str) -> None:
    code = f"import sys; {statement}; print([m for m in ('fastapi', 'starlette', 'uvicorn', 'httpx') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_an_unknown_name_is_an_import_error() -> None:
    for path in ("openenv.core", "openenv.core.env_server", "openenv_core"):
        assert not hasattr(importlib.import_module(path), "NoSuchThing")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("openenv_core.no_such_module")
