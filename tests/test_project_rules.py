"""Rules for names, sizes, documents and layout (docs/contributing.md). They hold in the whole repository."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from support.commands import list_command_names
from support.naming import (
    find_repeated_classes,
    list_badly_named,
    list_functions,
    list_nodes,
    list_private_imports,
    parse_module,
    read_docstring,
)

from crawler import spiders

ROOT = Path(__file__).parents[1]
MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 60
TOP_LEVEL = set(
    "crawler snapshots benchmarks docs tests "
    "scrapy.cfg pyproject.toml constraints.txt README.md LICENSE CHANGELOG.md".split()
)
VAGUE_FILE_NAMES = re.compile(r"(?:^|_)(?:utils?|helpers?|common|managers?|misc)(?:_|$)")


@cache
def list_files() -> list[Path]:
    """Return every file of the repository, also new ones that are not ignored."""
    output = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted({path for name in output.stdout.splitlines() if (path := ROOT / name).is_file()})


def list_modules(*folders: str) -> list[Path]:
    return [path for path in list_files() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in folders]


def format_path(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def read_text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


SOURCES = list_modules("crawler", "tests", "benchmarks")
DOCUMENTS = [path for path in list_files() if path.suffix == ".md"]


def test_source_files_are_found() -> None:
    assert len(SOURCES) > 100


def test_files_are_not_too_long() -> None:
    assert not [str(path) for path in SOURCES if len(read_text(path).splitlines()) > MAX_FILE_LINES]


def test_modules_have_a_docstring() -> None:
    bare = {path for path in SOURCES if not read_docstring(read_text(path)).strip()}
    assert not [str(path) for path in bare if path.name != "__init__.py" or parse_module(path).body]


@pytest.mark.parametrize(
    ("text", "docstring"),
    [
        ('"""Words."""\n', "Words."),
        ('# comment\n\n"one " "two"\nimport os\n', "one two"),
        ('x = """Words."""\n', ""),
        ('import os\n"""Words."""\n', ""),
        ("", ""),
    ],
)
def test_docstring_of_a_module_is_read(text: str, docstring: str) -> None:
    assert read_docstring(text) == docstring == (ast.get_docstring(ast.parse(text)) or "")


def test_file_names_are_not_vague() -> None:
    names = [path.relative_to(ROOT).with_suffix("") for path in SOURCES]
    assert not [str(name) for name in names if any(map(VAGUE_FILE_NAMES.search, name.parts))]


def test_files_have_no_open_tasks() -> None:
    open_task = re.compile(r"\b(?:TODO|FIXME|XXX)\b")
    assert not [str(path) for path in SOURCES if open_task.search(read_text(path)) and path != Path(__file__)]


@pytest.mark.parametrize(
    "package", sorted({path.parent for path in list_modules("crawler") if path.name == "__init__.py"}), ids=format_path
)
def test_package_that_lists_its_modules_lists_all(package: Path) -> None:
    docstring = ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8"))) or ""
    stems = {path.stem for path in package.glob("*.py")} - {"__init__"}
    listed = set(re.findall(r"^[a-z_]+(?=  )", docstring, re.MULTILINE))
    assert len(stems & listed) <= len(stems) / 2 or stems <= listed, stems - listed


@cache
def read_documents() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS if path.name != "CHANGELOG.md")


@pytest.mark.parametrize("command", list_command_names())
def test_command_is_documented(command: str) -> None:
    assert re.search(rf"\bcrawler {re.escape(command)}\b", read_documents())


def test_commands_in_documents_exist() -> None:
    known = {command.split()[0] for command in list_command_names()}
    named = set(re.findall(r"(?:^|[`/])crawler ([a-z]+)\b(?! =)", read_documents(), re.MULTILINE))
    assert named
    assert named <= known


def test_named_documents_exist() -> None:
    missing = {
        (format_path(path), name)
        for path in (*DOCUMENTS, *list_modules("crawler"))
        for name in re.findall(r"\bdocs/[\w/-]+\.md\b", read_text(path))
        if not (ROOT / name).is_file()
    }
    assert not missing


def test_links_of_documents_lead_to_files_and_headings() -> None:
    broken = set()
    for path in DOCUMENTS:
        for link in re.findall(r"\]\(([^)\s:]+)\)", read_text(path)):
            name, _, heading = link.partition("#")
            target = (path.parent / name).resolve() if name else path
            if not target.exists() or (heading and heading not in list_heading_links(target)):
                broken.add((format_path(path), link))
    assert not broken


@cache
def list_heading_links(path: Path) -> set[str]:
    """Return what follows `#` in links to the headings of a document, in GitHub's spelling."""
    text = re.sub(r"^```.*?^```", "", read_text(path), flags=re.MULTILINE | re.DOTALL)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+?) *$", text, re.MULTILINE)
    }


def test_changelog_has_unreleased_entries() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## Unreleased\n(?!## )(?:(?!## ).*\n)*?- ", text, re.MULTILINE)


def test_top_level_has_no_other_files() -> None:
    shown = {path.relative_to(ROOT).parts[0] for path in list_files()}
    assert {name for name in shown if not name.startswith(".")} <= TOP_LEVEL


def test_no_lock_files() -> None:
    locks = re.compile(r"(?:\.lock|-lock\.(?:json|yaml)|Pipfile.*|requirements.*\.txt)$")
    assert not [path for path in list_files() if locks.search(path.name)]


def test_no_package_index_is_named() -> None:
    suffixes = {".toml", ".txt", ".cfg", ".yml", ".yaml", ".py", ".md"}
    registry = re.compile(
        "|".join(("--index" + "-url", "extra-index" + "-url", "index" + "_url", "files.python" + "hosted"))
    )
    files = [path for path in list_files() if path.suffix in suffixes and "snapshots" not in path.parts]
    assert not [str(path) for path in files if registry.search(read_text(path))]


def test_package_is_imported_by_full_name() -> None:
    """Scrapy has an object `crawler`, so `import crawler` would be ambiguous."""
    found = []
    migrations = [path for path in list_modules("crawler") if path not in list_nodes()]
    for path, nodes in [*list_nodes().items(), *((path, ast.walk(parse_module(path))) for path in migrations)]:
        for node in nodes:
            plain = isinstance(node, ast.Import) and any(alias.name.split(".")[0] == "crawler" for alias in node.names)
            if plain or (isinstance(node, ast.ImportFrom) and node.level):
                found.append(f"{path}:{node.lineno}")
    assert not found


def test_names_of_test_files_are_unique() -> None:
    names = Counter(path.name for path in list_modules("tests") if path.name != "conftest.py")
    assert not [name for name, count in names.items() if count > 1]


def test_sources_have_the_same_name_in_spiders_and_snapshots() -> None:
    assert spiders.list_names() == sorted(path.name for path in (ROOT / "snapshots").iterdir() if path.is_dir())


def test_warnings_are_errors_and_markers_are_strict() -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]
    assert options["filterwarnings"][0] == "error"
    assert "--strict-markers" in options["addopts"]


def test_class_names_are_unique() -> None:
    assert find_repeated_classes() == {}


def test_functions_are_short() -> None:
    assert not [str(each) for each in list_functions() if each.lines > MAX_FUNCTION_LINES]


def test_functions_are_named_by_what_they_do() -> None:
    assert not [str(each) for each in list_badly_named(list_functions())]


def test_no_module_uses_a_private_name_of_another() -> None:
    assert list(list_private_imports()) == []


@pytest.mark.parametrize("package", sorted(path.parent.name for path in (ROOT / "crawler").glob("*/__init__.py")))
def test_architecture_describes_package(package: str) -> None:
    assert re.search(rf"\b{package}\b", (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))
