"""The rules of the house, as tests: what a reader may rely on without looking."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest
import typer

import crawler as house
from crawler.cli.app import app

ROOT = Path(__file__).parents[1]
PLAN = house.__doc__ or ""
LONGEST = 300
TOP = set(
    "crawler snapshots benchmarks docs tests "
    "scrapy.cfg pyproject.toml constraints.txt README.md LICENSE CHANGELOG.md".split()
)
NO_NAMES = re.compile(r"(?:^|_)(?:utils?|helpers?|common|managers?|misc|base)(?:_|$)")


@cache
def files() -> list[Path]:
    """Every file of the repository, also new ones that are not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted({path for name in listed.stdout.splitlines() if (path := ROOT / name).is_file()})


def modules(*folders: str) -> list[Path]:
    return [path for path in files() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in folders]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


SOURCES = modules("crawler", "tests", "benchmarks")
DOCUMENTS = [path for path in files() if path.suffix == ".md"]


def test_there_is_a_house() -> None:
    assert len(SOURCES) > 100
    assert len(rows()) > 5


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_file_is_short_enough_to_be_read_at_once(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_module_says_what_it_is(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert (ast.get_docstring(tree) or "").strip() or (path.name == "__init__.py" and not tree.body)


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_name_says_what_a_file_is(path: Path) -> None:
    assert not [part for part in path.relative_to(ROOT).with_suffix("").parts if NO_NAMES.search(part)]


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_nothing_is_left_for_later(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\b(?:TODO|FIXME|XXX)\b", text) or path == Path(__file__)


def rows() -> list[tuple[list[str], str]]:
    """The plan's rows: the rooms a row names, and what it says of them."""
    lines = [line.strip() for line in PLAN.splitlines() if line.startswith("    ")]
    parts = [re.split(r"\s{2,}", line, maxsplit=1) for line in lines if "→" not in line.split("  ")[0]]
    return [(part[0].split(" · "), part[1]) for part in parts if len(part) == 2 and "↘" not in part[0]]


def test_plan_names_every_room_and_no_other() -> None:
    planned = [room for rooms, _ in rows() for room in rooms]
    there = {path.relative_to(ROOT / "crawler").parts[0].removesuffix(".py") for path in modules("crawler")}
    assert sorted(planned) == sorted(there - {"__init__"})


def test_plan_is_the_order_that_imports_are_held_to() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (layers,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    held = [room for layer in layers for room in sorted(layer.split(" | "))]
    planned: list[str] = []
    for rooms, _ in rows():
        planned += sorted(rooms) if rooms != ["__main__", "cli"] else rooms
    assert planned == held


@pytest.mark.parametrize(
    "room", sorted({path.parent for path in modules("crawler") if path.name == "__init__.py"}), ids=name_of
)
def test_room_that_lists_its_files_lists_all_of_them(room: Path) -> None:
    said = ast.get_docstring(ast.parse((room / "__init__.py").read_text(encoding="utf-8"))) or ""
    there = {path.stem for path in room.glob("*.py")} - {"__init__"}
    listed = set(re.findall(r"[a-z_]+", said)) | {stem for stem in there if f"{stem.partition('_')[0]}_*" in said}
    assert len(there & listed) <= len(there) / 2 or there <= listed


@cache
def documentation() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS if path.name != "CHANGELOG.md")


def commands() -> list[str]:
    """Every command of the program, subcommands with their group: `rules check`."""
    found: list[str] = []

    def walk(group: object, before: str) -> None:
        for name, command in getattr(group, "commands", {}).items():
            walk(command, f"{before}{name} ") if hasattr(command, "commands") else found.append(f"{before}{name}")

    walk(typer.main.get_command(app), "")
    return found


@pytest.mark.parametrize("command", commands())
def test_command_is_documented(command: str) -> None:
    assert re.search(rf"\bcrawler {re.escape(command)}\b", documentation())


def test_commands_named_in_the_documents_exist() -> None:
    known = {command.split()[0] for command in commands()}
    named = set(re.findall(r"(?:^|[`/])crawler ([a-z]+)\b(?! =)", documentation(), re.MULTILINE))
    assert named
    assert named <= known


@pytest.mark.parametrize("path", [*DOCUMENTS, *modules("crawler")], ids=name_of)
def test_documents_that_are_named_are_there(path: Path) -> None:
    named = set(re.findall(r"\bdocs/[\w/-]+\.md\b", path.read_text(encoding="utf-8")))
    named |= {
        name_of((path.parent / link).resolve())
        for link in re.findall(r"\]\(([\w./-]+\.md)(?:#[\w-]*)?\)", path.read_text(encoding="utf-8"))
        if path.suffix == ".md"
    }
    assert not [name for name in named if not (ROOT / name).is_file()]


def test_changelog_tells_something() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## Unreleased\n\n- ", text, re.MULTILINE)


def test_top_level_shows_only_what_is_planned() -> None:
    shown = {path.relative_to(ROOT).parts[0] for path in files()}
    assert {name for name in shown if not name.startswith(".")} <= TOP


def test_no_lock_files() -> None:
    locks = re.compile(r"(?:\.lock|-lock\.(?:json|yaml)|Pipfile.*|requirements.*\.txt)$")
    assert not [path for path in files() if locks.search(path.name)]


@pytest.mark.parametrize(
    "path",
    [path for path in files() if path.suffix in {".toml", ".txt", ".cfg", ".yml", ".yaml", ".py", ".md"}],
    ids=name_of,
)
def test_no_package_index_is_named(path: Path) -> None:
    if "snapshots" in path.parts:
        return
    registry = re.compile(
        "|".join(("--index" + "-url", "extra-index" + "-url", "index" + "_url", "files.python" + "hosted"))
    )
    assert not registry.search(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", modules("crawler"), ids=name_of)
def test_house_is_imported_by_name_only(path: Path) -> None:
    """Scrapy has a `crawler` object of its own: `import crawler` would be one more."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    plain = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    relative = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level]
    assert not [name for name in plain if name.split(".")[0] == "crawler"]
    assert not relative


@pytest.mark.parametrize("path", modules("tests"), ids=name_of)
def test_test_files_have_names_of_their_own(path: Path) -> None:
    same = [other for other in modules("tests") if other.name == path.name]
    assert path.name == "conftest.py" or same == [path]


def test_sources_have_one_name_in_spiders_and_snapshots() -> None:
    spiders = {path.stem for path in modules("crawler") if path.parent.name == "spiders"} - {"__init__"}
    assert spiders == {path.name for path in (ROOT / "snapshots").iterdir() if path.is_dir()}


def test_warnings_are_errors_and_markers_are_strict() -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]
    assert options["filterwarnings"][0] == "error"
    assert "--strict-markers" in options["addopts"]
