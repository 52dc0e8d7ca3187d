"""Repositories, exported names and tables that are imported when they are first used."""

from __future__ import annotations

import ast
from pathlib import Path

import crawler.store as package
from crawler.store import Store
from crawler.store.complete_schema import metadata

FOLDER = Path(package.__file__).parent
SCHEMA_MODULES = {"backfill_schema", "complete_schema", "reading_schema", "search_index", "user_schema"}


def test_each_repository_is_of_the_class_that_type_checkers_see(store: Store) -> None:
    made = {name: getattr(store, name) for name in Store.__annotations__}
    assert {name: type(each).__name__ for name, each in made.items()} == Store.__annotations__
    assert all(getattr(store, name) is each for name, each in made.items())


def test_each_exported_name_is_that_of_its_module() -> None:
    lazy = {name for names in package.LAZY_NAMES.values() for name in names}
    assert lazy < set(package.__all__)
    for module, names in package.LAZY_NAMES.items():
        defined = __import__(f"crawler.store.{module}", fromlist=names)
        assert all(getattr(package, name) is getattr(defined, name) for name in names)
    assert all(hasattr(package, name) for name in package.__all__)
    assert not hasattr(package, "Nothing")


def test_only_modules_with_tables_import_the_incomplete_metadata() -> None:
    found = {
        path.stem
        for path in FOLDER.rglob("*.py")
        if "metadata" in (text := path.read_text())
        for node in ast.parse(text).body
        if isinstance(node, ast.ImportFrom) and node.module == "crawler.store.schema"
        if any(alias.name == "metadata" for alias in node.names)
    }
    assert found == SCHEMA_MODULES


def test_complete_metadata_has_the_tables_of_each_module() -> None:
    assert {"articles", "backfills", "article_cards", "users"} <= metadata.tables.keys()
