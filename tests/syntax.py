"""The portal's modules as syntax trees, parsed once for all the tests that read them."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

PORTAL = Path(__file__).parent.parent / "portal"


@cache
def modules() -> tuple[Path, ...]:
    """Every module of the portal."""
    return tuple(sorted(PORTAL.rglob("*.py")))


@cache
def text_of(path: Path) -> str:
    """The source of a module."""
    return path.read_text()


@cache
def tree_of(path: Path) -> ast.Module:
    """The module itself."""
    return ast.parse(text_of(path))


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """Everything in a module, its outermost parts first."""
    return tuple(ast.walk(tree_of(path)))


@cache
def imports_of(path: Path) -> frozenset[str]:
    """The dotted names that a module imports, wherever in it."""
    found: set[str] = set()
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(found)
