"""Mutants of the extraction code: each breaks one selector, drops one field, empties one result or garbles one label.

A mutant is a changed syntax tree of one module, or a changed data file. `MutationLaboratory` builds the extraction
modules again with it, inside this process, and searches for the first stored page that shows the change
(`crawler.fixtures.expectations.check_stored_page`). After the pages it tries the URLs of `article_addresses`.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any
from unittest.mock import patch

from support.article_addresses import ADDRESSES

from crawler import defaults, spiders
from crawler.archive.snapshot_folder import load_stored_pages
from crawler.config import Config

ROOT = Path(__file__).parents[2]
PAGE_MODULES = tuple(
    f"pages.{name}" for name in "blocks refusal press_release base listing feed ktkz govkz govkz_rendered".split()
)
SPIDER_MODULES = ("spiders.govkz", *(f"spiders.{name}" for name in spiders.list_names()))
MUTATED_MODULES = (*PAGE_MODULES, *SPIDER_MODULES)
REBUILT_MODULES = (
    *("pages.blocks", "pages.refusal", "pages.press_release", "pages.metadata", "pages.base", "pages.listing"),
    "pages.records",
    *("pages.feed", "pages.ktkz", "pages.govkz", "pages.govkz_rendered"),
    *SPIDER_MODULES,
    "fixtures.expectations",
)
"""The modules built again for each mutant, each after those that it imports."""
MUTATED_FILES = ("page_labels.toml", "refusals.toml")
SELECTOR_CALLS = ("select_one", "select_first", "css", "xpath", "compile")
"""Calls whose string is a selector or a pattern."""
MESSAGE_CALLS = (
    "make_changed_error",
    "record_rule",
    "record_rules",
    "record_lines",
    "info",
    "warning",
    "error",
    "debug",
)
"""Calls whose strings are messages for people, or the names under which lines of a page are recorded."""
ERRORS = ("Blocked", "Unreachable", "PageChanged", "NotAnArticle")
NOT_EXTRACTION = (
    *("make_first_requests", "make_page_request", "make_next_requests", "check_time_zone", "record_rule"),
    *("record_rules", "make_changed_error", "_quote_text", "make_structure", "record_sources", "list_links"),
    *("get_requested_language", "is_in_scope", "pick_untranslated", "get_listing_names", "can_be_listed"),
    *("identify_page", "handle_last_answer"),
)
"""Functions that request pages, report to people or describe a page. Live crawls and their own tests try those."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one module, or of one data file. `name` says where and what, without line numbers."""

    name: str
    module: str
    tree: ast.Module | None = None
    data: dict[str, Any] | None = None


def garble_text(text: str, call: str) -> str:
    """Return a selector, pattern or word of the same kind that selects nothing."""
    if call == "compile":
        return f"(?!){text}" if "|" not in text else f"(?!)(?:{text})"
    if call == "xpath":
        return f"self::garbled/{text}"
    if call == "words":
        return "garbled"
    return f"garbled {text}" if call in SELECTOR_CALLS else f"{text}garbled"


def make_mutants(module: str) -> Iterator[Mutant]:
    """Return every mutant of one module, in the order of its source."""
    tree = ast.parse(find_source(module).read_text(encoding="utf-8"))
    finder = _Finder()
    finder.visit(tree)
    seen: dict[str, int] = {}
    for node, kind, what in finder.found:
        seen[what] = seen.get(what, 0) + 1
        name = f"{module}: {what}" + (f" #{seen[what]}" if seen[what] > 1 else "")
        yield Mutant(name, module, _apply_mutation(tree, node, kind))


def make_data_mutants(file: str) -> Iterator[Mutant]:
    """Return a mutant for each key of a data file: its patterns match nothing."""
    for path in _list_keys(defaults.load_default_toml(file)):
        data = deepcopy(defaults.load_default_toml(file))
        table = data
        for key in path[:-1]:
            table = table[key]
        value = table[path[-1]]
        table[path[-1]] = [f"(?!)(?:{each})" for each in value] if isinstance(value, list) else f"(?!)(?:{value})"
        yield Mutant(f"{file}: garble {'.'.join(path)}", file, data=data)


def _list_keys(table: dict[str, Any]) -> list[tuple[str, ...]]:
    paths: list[tuple[str, ...]] = []
    for key, value in table.items():
        paths += [(key, *path) for path in _list_keys(value)] if isinstance(value, dict) else [(key,)]
    return paths


def find_source(module: str) -> Path:
    """Return the file of a module of `crawler`."""
    return ROOT / "crawler" / f"{module.replace('.', '/')}.py"


class _Finder(ast.NodeVisitor):
    """Collects (node, kind of change, description) over a module."""

    def __init__(self) -> None:
        self.found: list[tuple[ast.AST, str, str]] = []
        self.where: list[str] = []
        self.returns: ast.expr | None = None

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        spider = node.name.endswith("Spider")
        self.where.append(node.name)
        for part in node.body:
            if not spider or isinstance(part, ast.FunctionDef) or "compile" in ast.unparse(part):
                self.visit(part)
        self.where.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        if node.name in NOT_EXTRACTION:
            return
        self.where.append(node.name)
        outer, self.returns = self.returns, node.returns
        for part in node.body:
            self.visit(part)
        self.returns = outer
        self.where.pop()

    def visit_For(self, node: ast.For) -> None:
        only_messages = all(
            isinstance(part, ast.Expr) and format_called(part.value) in MESSAGE_CALLS for part in node.body
        )
        if not only_messages:
            self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> None:
        return

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is None or (isinstance(node.value, ast.Constant) and node.value.value is None):
            return
        if format_called(node.value) in ("make_changed_error", *ERRORS) or ast.unparse(node.value) in EMPTY.values():
            return
        self._add(node, "return", f"return {format_brief(node.value)}")
        self.visit(node.value)

    def visit_Dict(self, node: ast.Dict) -> None:
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                self._add(key, "drop", f"no {key.value!r}")
            self.visit(value)

    def visit_Call(self, node: ast.Call) -> None:
        name = format_called(node)
        if name in MESSAGE_CALLS or name in ERRORS:
            return
        # The name of a field, and a selector for the error message.
        numbers = {"select_one": (0,), "select_first": (0,), "parse_date": (0, 2)}.get(name, ())
        for_messages = [node.args[number] for number in numbers if number < len(node.args)]
        for part in (node.func, *node.args, *(keyword.value for keyword in node.keywords)):
            if part not in for_messages:
                self._literal(part, name) if isinstance(part, ast.Constant) else self.visit(part)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if node.attr == "split" and isinstance(node.value, ast.Constant):  # a list of words: one mutant without them
            self._add(node.value, "garble words", f"garble {node.value.value[:40]!r}")
        else:
            self.visit(node.value)

    def visit_Constant(self, node: ast.Constant) -> None:
        self._literal(node, "")

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # a docstring
            self.visit(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value:
            self.visit(node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.visit(part.value)

    def _literal(self, node: ast.Constant, call: str) -> None:
        if isinstance(node.value, str) and node.value.strip():
            kind = f"garble {call}" if call in SELECTOR_CALLS else "garble"
            self._add(node, kind, f"garble {node.value[:40]!r}")

    def _add(self, node: ast.AST, kind: str, what: str) -> None:
        if kind == "return":
            kind = f"return {ast.unparse(self.returns) if self.returns else 'None'}"
        self.found.append((node, kind, f"{'.'.join(self.where) or 'module'}: {what}"))


def format_called(node: ast.AST) -> str:
    """Return the name of a called function, or "" for another expression."""
    if not isinstance(node, ast.Call):
        return ""
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def format_brief(node: ast.AST) -> str:
    """Return a short form of an expression for a mutant's name."""
    return " ".join(ast.unparse(node).split())[:60]


EMPTY = {"list": "[]", "tuple": "()", "dict": "{}", "str": "''", "Iterator": "iter(())", "bytes": "b''"}


def _apply_mutation(tree: ast.Module, target: ast.AST, kind: str) -> ast.Module:
    position = next(number for number, node in enumerate(ast.walk(tree)) if node is target)
    copy = deepcopy(tree)
    node = next(node for number, node in enumerate(ast.walk(copy)) if number == position)
    if kind.startswith("garble"):
        assert isinstance(node, ast.Constant)
        node.value = garble_text(str(node.value), kind.partition(" ")[2])
    elif kind == "drop":
        for whole in ast.walk(copy):
            if isinstance(whole, ast.Dict) and node in whole.keys:
                at = whole.keys.index(node)
                del whole.keys[at], whole.values[at]
    else:
        assert isinstance(node, ast.Return) and node.value is not None
        node.value = _make_empty(node.value, kind.removeprefix("return "))
    return ast.fix_missing_locations(copy)


def _make_empty(value: ast.expr, annotation: str) -> ast.expr:
    if annotation == "bool":
        return ast.UnaryOp(ast.Not(), value)
    if "None" in annotation:
        return ast.Constant(None)
    return ast.parse(EMPTY.get(annotation.partition("[")[0], "None"), mode="eval").body


class MutationLaboratory:
    """Builds the extraction modules with a mutant and searches for a stored page that shows it."""

    def __init__(self) -> None:
        self.pages = [
            (name, page) for name in spiders.list_names() for page in load_stored_pages(ROOT / "snapshots", name)
        ]
        self.codes = {
            name: compile(find_source(name).read_text(encoding="utf-8"), name, "exec") for name in REBUILT_MODULES
        }
        self.config = Config()

    def find_witness(self, mutant: Mutant | None) -> str | None:
        """Return the page and field, or the exception, that shows the mutant; None when no stored page does."""
        originals = {name: sys.modules.get(f"crawler.{name}") for name in REBUILT_MODULES}
        try:
            with patch.object(defaults, "load_default_toml", self._make_loader(mutant)):
                try:
                    self._build(mutant)
                except Exception as error:  # noqa: BLE001 - a mutant may fail in any way
                    return f"does not import: {error!r}"
                return self._find_shown()
        finally:
            for name, module in originals.items():
                _install_module(name, module)

    @staticmethod
    def _make_loader(mutant: Mutant | None) -> Any:
        load = defaults.load_default_toml
        return lambda name: mutant.data if mutant and mutant.data and mutant.module == name else load(name)

    def _build(self, mutant: Mutant | None) -> None:
        for name in REBUILT_MODULES:
            code: CodeType = self.codes[name]
            if mutant and mutant.tree and mutant.module == name:
                code = compile(mutant.tree, mutant.name, "exec")
            module = ModuleType(f"crawler.{name}")
            module.__package__ = module.__name__.rpartition(".")[0]
            _install_module(name, module)
            exec(code, module.__dict__)

    def _find_shown(self) -> str | None:
        check = sys.modules["crawler.fixtures.expectations"].check_stored_page
        sites: dict[str, object] = {}
        for number, (source, page) in enumerate(self.pages):
            try:
                site = sites.get(source) or sites.setdefault(source, spiders.load_spider(source).make_site(self.config))
                failed = next((result for result in check(page, site) if not result.passed), None)
            except Exception as error:  # noqa: BLE001 - see above
                return self._move_to_front(number, f"{source}/{page.path.name}: {error!r}")
            if failed is not None:
                return self._move_to_front(number, f"{source}/{page.path.name}: {failed.field}")
        return find_misread_address(spiders)

    def _move_to_front(self, number: int, shown: str) -> str:
        """Check this page first next time: one page often shows neighbouring mutants."""
        self.pages.insert(0, self.pages.pop(number))
        return shown


def find_misread_address(spiders: ModuleType) -> str | None:
    """Return the first URL that a source identifies wrongly, or None."""
    for source, table in ADDRESSES.items():
        for url, expected in table.items():
            try:
                found = spiders.load_spider(source).identify(url)
            except Exception as error:  # noqa: BLE001 - see above
                return f"{url}: {error!r}"
            if expected != (found and (found.native_id, found.url, found.language)):
                return url
    return None


def _install_module(name: str, module: ModuleType | None) -> None:
    parent = importlib.import_module(f"crawler.{name}".rpartition(".")[0])
    if module is None:
        sys.modules.pop(f"crawler.{name}", None)
        parent.__dict__.pop(name.rpartition(".")[2], None)
    else:
        sys.modules[f"crawler.{name}"] = module
        setattr(parent, name.rpartition(".")[2], module)
