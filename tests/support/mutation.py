"""Mutants of the extraction code: what breaks one selector, drops one field, or empties one helper's answer.

A mutant is a changed syntax tree of one module. `Laboratory` builds the extraction modules again with that tree in
place, inside this process, and asks for the first stored page that shows the change
(`crawler.fixtures.expectations.check`); after the pages it tries the forms of addresses in `addresses`.
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

from support.article_addresses import ADDRESSES

from crawler.archive.snapshot_folder import load_stored_pages
from crawler.config import Config

ROOT = Path(__file__).parents[1]
MUTATED = (
    *("extract.page", "extract.blocks", "extract.release", "extract.feed", "extract.refusal"),
    *("platforms.govkz", "platforms.govkz_rendered"),
    *("spiders.ktkz", "spiders.mfa", "spiders.qazmonitor"),
)
BUILT = (
    *("extract.blocks", "extract.refusal", "extract.release", "extract.metadata", "extract.page", "extract.feed"),
    *("platforms.govkz", "platforms.govkz_rendered"),
    *("spiders.ktkz", "spiders.mfa", "spiders.qazmonitor"),
    "replay.expectations",
)
"""The modules built anew for each mutant, each after those it imports."""
ASKING = ("one", "first", "css", "xpath", "compile")
"""Calls whose string is a selector or a pattern."""
TALKING = ("changed", "note", "notes", "info", "warning", "error", "debug", "stands")
"""Calls whose strings are words for people, or the names under which places of a page are kept for them."""
ERRORS = ("Blocked", "Unreachable", "PageChanged", "NotAnArticle")
NOT_EXTRACTION = (
    *("first_requests", "page", "onward", "findings", "note", "notes", "changed", "_said"),
    *("shape", "_keep_places"),
    *("asked", "untranslated", "wanted", "alone_in_its_language", "list_names", "is_listed"),
)
"""Functions that ask for pages, talk to people or describe a page; live crawls and tests of their own try those."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one module. `name` says where and what, without line numbers, so that it outlives edits."""

    name: str
    module: str
    tree: ast.Module


def garble_text(text: str, call: str) -> str:
    """A selector, pattern or word of the same kind that selects nothing."""
    if call == "compile":
        return f"(?!){text}" if "|" not in text else f"(?!)(?:{text})"
    if call == "xpath":
        return f"self::garbled/{text}"
    if call == "words":
        return "garbled"
    return f"garbled {text}" if call in ASKING else f"{text}garbled"


def make_mutants(module: str) -> Iterator[Mutant]:
    """Every mutant of one module, in the order of its source."""
    tree = ast.parse(find_source(module).read_text(encoding="utf-8"))
    finder = _Finder()
    finder.visit(tree)
    seen: dict[str, int] = {}
    for node, kind, what in finder.found:
        seen[what] = seen.get(what, 0) + 1
        name = f"{module}: {what}" + (f" #{seen[what]}" if seen[what] > 1 else "")
        yield Mutant(name, module, _apply_mutation(tree, node, kind))


def find_source(module: str) -> Path:
    """The file of a module of `crawler`."""
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
        if node.name in NOT_EXTRACTION and (node.name != "page" or "Spider" in "".join(self.where)):
            return
        self.where.append(node.name)
        outer, self.returns = self.returns, node.returns
        for part in node.body:
            self.visit(part)
        self.returns = outer
        self.where.pop()

    def visit_For(self, node: ast.For) -> None:
        told = all(isinstance(part, ast.Expr) and format_called(part.value) in TALKING for part in node.body)
        if not told:
            self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> None:
        return

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is None or (isinstance(node.value, ast.Constant) and node.value.value is None):
            return
        if format_called(node.value) in ("changed", *ERRORS) or ast.unparse(node.value) in EMPTY.values():
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
        if name in TALKING or name in ERRORS:
            return
        words = {"one": (0,), "first": (0,), "date": (0, 2)}.get(name, ())  # a field's name, a selector for the error
        told = [node.args[number] for number in words if number < len(node.args)]
        for part in (node.func, *node.args, *(keyword.value for keyword in node.keywords)):
            if part not in told:
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
            kind = f"garble {call}" if call in ASKING else "garble"
            self._add(node, kind, f"garble {node.value[:40]!r}")

    def _add(self, node: ast.AST, kind: str, what: str) -> None:
        if kind == "return":
            kind = f"return {ast.unparse(self.returns) if self.returns else 'None'}"
        self.found.append((node, kind, f"{'.'.join(self.where) or 'module'}: {what}"))


def format_called(node: ast.AST) -> str:
    """The name of what is called, empty for anything else."""
    if not isinstance(node, ast.Call):
        return ""
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def format_brief(node: ast.AST) -> str:
    """A short form of an expression for a mutant's name."""
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
    """Builds the extraction modules with a mutant in place and looks for a stored page that shows it."""

    def __init__(self) -> None:
        names = ("ktkz", "mfa", "qazmonitor")
        self.pages = [(name, page) for name in names for page in load_stored_pages(ROOT / "snapshots", name)]
        self.codes = {name: compile(find_source(name).read_text(encoding="utf-8"), name, "exec") for name in BUILT}
        self.config = Config()

    def find_witness(self, mutant: Mutant | None) -> str | None:
        """The page and field, or the exception, that shows the mutant; None when no stored page does."""
        kept = {name: sys.modules.get(f"crawler.{name}") for name in BUILT}
        try:
            try:
                self._build(mutant)
            except Exception as error:  # noqa: BLE001 - a mutant may fail in any way at all
                return f"does not import: {error!r}"
            return self._find_shown()
        finally:
            for name, module in kept.items():
                _install_module(name, module)

    def _build(self, mutant: Mutant | None) -> None:
        for name in BUILT:
            own = mutant is not None and mutant.module == name
            code: CodeType = compile(mutant.tree, mutant.name, "exec") if mutant and own else self.codes[name]
            module = ModuleType(f"crawler.{name}")
            module.__package__ = module.__name__.rpartition(".")[0]
            _install_module(name, module)
            exec(code, module.__dict__)

    def _find_shown(self) -> str | None:
        check = sys.modules["crawler.fixtures.expectations"].check
        spiders = importlib.import_module("crawler.spiders")
        sites: dict[str, object] = {}
        for number, (source, page) in enumerate(self.pages):
            try:
                site = sites.get(source) or sites.setdefault(source, spiders.load(source).site_of(self.config))
                failed = next((result for result in check(page, site) if not result.passed), None)
            except Exception as error:  # noqa: BLE001 - see above
                return self._first(number, f"{source}/{page.path.name}: {error!r}")
            if failed is not None:
                return self._first(number, f"{source}/{page.path.name}: {failed.field}")
        return find_misread_address(spiders)

    def _first(self, number: int, shown: str) -> str:
        """Look at this page first next time: neighbouring mutants are often shown by one page."""
        self.pages.insert(0, self.pages.pop(number))
        return shown


def find_misread_address(spiders: ModuleType) -> str | None:
    """The first address that a source does not take for what it is."""
    for source, table in ADDRESSES.items():
        for url, known in table.items():
            try:
                found = spiders.load(source).identify(url)
            except Exception as error:  # noqa: BLE001 - see above
                return f"{url}: {error!r}"
            if known != (found and (found.native_id, found.url, found.language)):
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
