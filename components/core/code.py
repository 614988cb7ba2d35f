"""Digests of our own code: what a cached result was made by."""

import ast
import hashlib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

OUR_PACKAGES = ("components", "pipelines")


def code_digest(*modules: str) -> str:
    """SHA-256 of the syntax trees of these modules and of all of ours that they import.

    Comments, docstrings and layout do not count, so editing them makes nothing stale.
    """
    total = hashlib.sha256()
    for name in sorted(modules_reached(*modules)):
        total.update(f"{name}:{_module_digest(name)};".encode())
    return total.hexdigest()


def modules_reached(*modules: str) -> frozenset[str]:
    """These modules and every module of ours that they import, directly or not, lazily or not."""
    reached: set[str] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(_imports(name))
    return frozenset(reached)


def changed_parts(before: str, after: str) -> list[str]:
    """Functions, methods (`Class.method`), constants and imports that differ between two texts of a module.

    Returns:
        Names, sorted; none when only comments, docstrings or layout differ.

    Raises:
        SyntaxError: a text is no Python.
    """
    old, new = _parts(before), _parts(after)
    return sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def source_path(module: str) -> Path:
    """The source file of one of our modules.

    Raises:
        ModuleNotFoundError: there is no such module.
    """
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"No source file for {module}")
    return Path(spec.origin)


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(source_path(module).read_text(encoding="utf-8"))


@cache
def _module_digest(module: str) -> str:
    return hashlib.sha256(ast.dump(_without_docstrings(_tree(module))).encode()).hexdigest()


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node, clean=False
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return tree


def _parts(text: str) -> dict[str, list[str]]:
    """The code of a module by the name of what it defines; methods stand apart from their class."""
    parts: dict[str, list[str]] = defaultdict(list)
    for node in _without_docstrings(ast.parse(text)).body:
        if isinstance(node, ast.ClassDef):
            for member in node.body:
                parts[f"{node.name}.{_name_of(member)}"].append(ast.dump(member))
            node.body = []
        parts[_name_of(node)].append(ast.dump(node))
    return parts


def _name_of(node: ast.stmt) -> str:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return name
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
        case ast.Import() | ast.ImportFrom():
            return "imports"
    return "statements"


@cache
def _imports(module: str) -> frozenset[str]:
    return frozenset(_imported_modules(_tree(module)))


def _imported_modules(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if _is_ours(alias.name))
        elif isinstance(node, ast.ImportFrom) and node.module and _is_ours(node.module):
            yield node.module
            yield from (name for alias in node.names if _is_module(name := f"{node.module}.{alias.name}"))


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] in OUR_PACKAGES


@cache
def _is_module(name: str) -> bool:
    parent = name.rpartition(".")[0]
    return source_path(parent).name == "__init__.py" and find_spec(name) is not None
