"""Find names in the package that break the naming rules of docs/contributing.md."""

from __future__ import annotations

import ast
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from io import StringIO
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "crawler"
PROPERTY_DECORATORS = {"property", "cached_property", "setter", "getter", "computed_field"}
HOOKS = {"closed", "handle"}
"""Names that Scrapy and Starlette prescribe."""
TEMPLATE_VIEW = PACKAGE / "publish" / "digest_view.py"
"""Its names are an interface: the templates of owners use them."""
IRREGULAR_PARTICIPLES = set(
    "told given said known found taken made kept heard begun shown meant left gone done held sent written "
    "seen chosen drawn grown spoken broken spelt built lost met paid sold thought understood hidden forgotten".split()
)
NOT_PARTICIPLES = {"need", "feed", "seed", "embed", "speed", "exceed", "proceed", "succeed"}
GENERIC_NAMES = set(
    "all alone also any anew apart as ask both by come do each every first from give go handle has have is it "
    "keep know last let look make mean more most next none of on one only other own per put same say see set "
    "show some such take tell that the then there to turn until up use what when where which who whole with "
    "work".split()
)
"""Words that say nothing. A repository may have `get`, because its class names the object."""


class FoundFunction(NamedTuple):
    """A function of the package. `lines` is its length."""

    path: Path
    name: str
    line: int
    lines: int
    is_property: bool

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line} {self.name}"


@cache
def parse_module(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def read_docstring(text: str) -> str:
    """Return the docstring of a module's text, "" if it has none. Unlike `parse_module` it reads no further."""
    words = []
    for token in tokenize.generate_tokens(StringIO(text).readline):
        if token.type == tokenize.STRING:
            words.append(token.string)
        elif token.type == tokenize.NEWLINE:
            break
        elif token.type not in (tokenize.COMMENT, tokenize.NL):
            return ""
    return str(ast.literal_eval(" ".join(words))) if words else ""


@cache
def parse_modules() -> dict[Path, ast.Module]:
    """Return the syntax trees of the package's modules, except those of migrations."""
    paths = [path for path in sorted(PACKAGE.rglob("*.py")) if "versions" not in path.relative_to(PACKAGE).parts[:-1]]
    return {path: parse_module(path) for path in paths}


@cache
def list_nodes() -> dict[Path, list[ast.AST]]:
    """Return the nodes of each module that the rules are about. A walk through all nodes takes as long as to parse."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom | ast.Attribute
    return {
        path: [node for node in ast.walk(tree) if isinstance(node, kinds)] for path, tree in parse_modules().items()
    }


@cache
def list_functions() -> list[FoundFunction]:
    """Return every function of the package."""
    return [
        FoundFunction(path, node.name, node.lineno, (node.end_lineno or 0) - node.lineno + 1, _is_property(node))
        for path, nodes in list_nodes().items()
        for node in nodes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def list_badly_named(functions: Iterable[FoundFunction]) -> list[FoundFunction]:
    """Return the functions that begin with a participle or are a single generic word."""
    return [each for each in functions if not _is_exempt(each) and (_is_participle(each) or _is_generic(each))]


def find_repeated_classes() -> dict[str, list[str]]:
    """Return the names that several classes have, with their places."""
    places: defaultdict[str, list[str]] = defaultdict(list)
    for path, nodes in list_nodes().items():
        for node in nodes:
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{path.relative_to(ROOT)}:{node.lineno}")
    return {name: found for name, found in places.items() if len(found) > 1}


def list_private_imports() -> Iterator[str]:
    """Yield every use of a private name of another module of the package."""
    for path, nodes in list_nodes().items():
        modules: set[str] = set()
        for node in nodes:
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE.name:
                for alias in node.names:
                    if _is_private(alias.name):
                        yield f"{path.relative_to(ROOT)}:{node.lineno} {node.module}.{alias.name}"
                    if _is_module(f"{node.module}.{alias.name}"):
                        modules.add(alias.asname or alias.name)
        for node in nodes:
            if not (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)):
                continue
            if node.value.id in modules and _is_private(node.attr):
                yield f"{path.relative_to(ROOT)}:{node.lineno} {node.value.id}.{node.attr}"


def _is_property(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    names = {ast.unparse(each).split("(")[0].rsplit(".", 1)[-1] for each in node.decorator_list}
    return bool(names & PROPERTY_DECORATORS)


def _is_exempt(function: FoundFunction) -> bool:
    is_command = "commands" in function.path.parts and not function.name.startswith("_")
    is_prescribed = function.name in HOOKS or function.path == TEMPLATE_VIEW
    return function.is_property or is_command or is_prescribed or function.name.startswith("__")


def _is_participle(function: FoundFunction) -> bool:
    first = function.name.strip("_").split("_")[0]
    is_regular = first.endswith("ed") and len(first) > 3 and first not in NOT_PARTICIPLES
    return is_regular or first in IRREGULAR_PARTICIPLES


def _is_generic(function: FoundFunction) -> bool:
    return function.name.strip("_") in GENERIC_NAMES


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


@cache
def _is_module(dotted: str) -> bool:
    path = ROOT.joinpath(*dotted.split("."))
    return path.with_suffix(".py").is_file() or path.is_dir()
