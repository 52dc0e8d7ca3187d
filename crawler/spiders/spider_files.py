"""Is a file in this package a source? Decided from its text: a file that is broken or foreign is not imported."""

from __future__ import annotations

import ast
from functools import lru_cache
from importlib.machinery import ModuleSpec

GUIDE = "docs/add-a-source.md says what a source needs"


def find_file_problem(spec: ModuleSpec) -> str | None:
    """Return why a file is no source, in one sentence; None for a source."""
    path = str(spec.origin)
    try:
        text: bytes = spec.loader.get_data(path)  # type: ignore[union-attr]
    except (OSError, AttributeError) as error:
        return f"{path} cannot be read and is not used: {error}."
    return _find_text_problem(spec.name, path, text)


@lru_cache(maxsize=64)
def _find_text_problem(name: str, path: str, text: bytes) -> str | None:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError) as error:
        line = f" in line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        what = error.msg if isinstance(error, SyntaxError) else str(error)
        return f"{path} is not used: it is no valid Python{line} ({what})."
    if not any(_is_spider_import(node) for node in tree.body):
        return f"{path} is not used: its spider is not derived from SourceSpider; {GUIDE}."
    names = [each for node in tree.body if isinstance(node, ast.ClassDef) for each in _list_spider_names(node)]
    if not names:
        return f"{path} is not used: no class in it has a `name`; {GUIDE}."
    if name not in names and None not in names:
        return f"{path} is not used: its spider is named {names[0]!r}, and must be named {name!r} like the file."
    return None


def _is_spider_import(node: ast.stmt) -> bool:
    """Return whether a statement imports a module of this package, from which a source is derived."""
    if isinstance(node, ast.Import):
        return any(alias.name.startswith("crawler.spiders.") for alias in node.names)
    return isinstance(node, ast.ImportFrom) and (node.level > 0 or (node.module or "").startswith("crawler.spiders"))


def _list_spider_names(node: ast.ClassDef) -> list[str | None]:
    """Return the `name` of a class, as a list of at most one, or [None] for a name that is computed."""
    for statement in node.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if isinstance(statement, ast.AnnAssign) and statement.value:
            targets = [statement.target]
        if any(isinstance(target, ast.Name) and target.id == "name" for target in targets):
            value = statement.value  # type: ignore[attr-defined]
            return [value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None]
    return []
