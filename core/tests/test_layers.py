"""The rooms of the package import only rooms above them, and nothing imports in a circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import openenv

ROOT = Path(openenv.__file__).parent
FREE = "version"
ROOMS = [
    "errors",
    "contract",
    "wire",
    "llm",
    "rubrics",
    "mcp",
    "sessions",
    "launch",
    "hub",
    "client",
    "web",
    "server",
    "rollout",
    "evals",
    "adapters",
    "testing",
    "cli",
    "auto",
    "core",
]
SIDE_BY_SIDE = [{"llm", "rubrics", "mcp"}, {"evals", "adapters"}, {"auto", "core"}]


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(ROOT.rglob("*.py"))}


def imported(tree: ast.AST, module: str, *, is_package: bool) -> Iterator[tuple[str, bool]]:
    """Yield each module of this package that a tree imports, and whether the import runs when the module loads."""

    def visit(node: ast.AST, at_load: bool) -> Iterator[tuple[str, bool]]:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for branch in node.orelse:
                yield from visit(branch, at_load)
            return
        if isinstance(node, ast.Import):
            yield from ((alias.name, at_load) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = module if is_package else module.rpartition(".")[0]
            base = package.rsplit(".", node.level - 1)[0] if node.level > 1 else package
            target = ".".join(filter(None, [base, node.module])) if node.level else node.module or ""
            for alias in node.names:
                full = f"{target}.{alias.name}"
                yield (full if full in MODULES else target), at_load
        inside = at_load and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            yield from visit(child, inside)

    for name, at_load in visit(tree, True):
        if name.split(".")[0] == "openenv":
            yield name, at_load


def edges() -> list[tuple[str, str, bool]]:
    found = []
    for module, path in MODULES.items():
        tree = ast.parse(path.read_text())
        for target, at_load in imported(tree, module, is_package=path.name == "__init__.py"):
            found.append((module, target, at_load))
    return found


def room(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else None


def refused(module: str, target: str) -> str | None:
    """Say why an import between two rooms is not allowed, or None where it is."""
    here, there = room(module), room(target)
    if here is None or there in (FREE, here):
        return None
    if there is None:
        return f"{module} imports the top of the package"
    if here == FREE or any({here, there} <= group for group in SIDE_BY_SIDE) or ROOMS.index(there) > ROOMS.index(here):
        return f"{module} ({here}) imports {target} ({there}), which is not above it"
    return None


def test_every_module_is_in_a_room() -> None:
    assert {room(module) for module in MODULES} - {None, FREE} <= set(ROOMS)


def test_rooms_import_only_rooms_above() -> None:
    assert [why for module, target, _ in edges() if (why := refused(module, target))] == []


@pytest.mark.parametrize(
    ("source", "bites"),
    [
        ("from ..client import base", True),
        ("def later():\n    import openenv.server.app", True),
        ("if TYPE_CHECKING:\n    from ..client.base import EnvClient", False),
        ("from ..wire import v1", False),
    ],
)
def test_the_rule_bites(source: str, bites: bool) -> None:
    found = imported(ast.parse(source), "openenv.sessions.session", is_package=False)
    assert bool([why for target, _ in found if (why := refused("openenv.sessions.session", target))]) is bites


def test_no_module_imports_itself_in_a_circle() -> None:
    graph: dict[str, set[str]] = {module: set() for module in MODULES}
    for module, target, at_load in edges():
        if at_load and target in MODULES and target != module and not module.startswith(f"{target}."):
            graph[module].add(target)
    finished: set[str] = set()

    def walk(module: str, path: list[str]) -> None:
        assert module not in path, f"circle: {' → '.join([*path[path.index(module) :], module])}"
        if module not in finished:
            for target in sorted(graph[module]):
                walk(target, [*path, module])
            finished.add(module)

    for module in graph:
        walk(module, [])
