"""`crawler sources edit|disable|enable|retire|export|import`: the files of sources without code."""

from __future__ import annotations

import json
import time
import tomllib
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from support.sandbox import Sandbox
from support.warm_python import CommandResult

from crawler.config import Config
from crawler.config.source_definition import SourceDefinition
from crawler.config.source_folder import current_folder
from crawler.errors import UsageError
from crawler.fixtures import source_files
from crawler.generic.site_memory import SiteMemory

DEFINITION = """
# My own remark.
title = "Valley Herald"
origins = ["https://herald.example"]
starts = ["https://herald.example/feed/"]
addresses = ["/{year}/{month}/{slug}/"]
enabled = true

[expect]
min_links = 5
"""
SNAPSHOT = {"url": "https://herald.example/2026/05/storm/", "status": 200, "headers": {}, "fetched_at": None}


def make_sandbox(folder: Path, text: str = DEFINITION, name: str = "herald") -> Sandbox:
    place = Sandbox(folder)
    (place.work_dir / "sources").mkdir(parents=True)
    (place.work_dir / "crawler.toml").touch()
    if text:
        (place.work_dir / "sources" / f"{name}.toml").write_text(text, encoding="utf-8")
    return place


def read_source(place: Sandbox, name: str = "herald") -> str:
    return (place.work_dir / "sources" / f"{name}.toml").read_text(encoding="utf-8")


def test_settings_are_set_and_remarks_stay(tmp_path: Path) -> None:
    place = make_sandbox(tmp_path)
    changed = place.run_crawler(
        "sources",
        "edit",
        "herald",
        "--set",
        "cron=0 * * * *",
        "--set",
        "expect.min_links=3",
        "--set",
        "rights.wording='A link'",
    )
    assert changed.code == 0, changed.err
    text = read_source(place)
    for line in ("# My own remark.", 'cron = "0 * * * *"', "min_links = 3", 'wording = "A link"'):
        assert line in text.replace("'A link'", '"A link"')
    assert "cron 0 * * * *" in place.run_crawler("sources").out


@pytest.mark.parametrize(
    "setting", ["titel=x", "cron=hourly", "expect=3", "expect.min_links=-1", "nothing", "title=''", "title.a.b=1"]
)
def test_setting_that_cannot_be_used_changes_nothing(tmp_path: Path, setting: str) -> None:
    place = make_sandbox(tmp_path)
    ended = place.run_crawler("sources", "edit", "herald", "--set", setting)
    assert (ended.code, "Traceback" in ended.err) == (2, False), ended.err
    assert read_source(place) == DEFINITION


@pytest.mark.parametrize(("word", "enabled"), [("enable", "false"), ("disable", "true")])
def test_crawler_toml_that_decides_otherwise_is_named(tmp_path: Path, word: str, enabled: str) -> None:
    place = make_sandbox(tmp_path)
    assert "decides against it" not in place.run_crawler("sources", word, "herald").err
    (place.work_dir / "crawler.toml").write_text(f"[sources.herald]\nenabled = {enabled}\n", encoding="utf-8")
    assert "[sources.herald] in crawler.toml decides against it" in place.run_crawler("sources", word, "herald").err


def test_definition_in_another_encoding_is_named(tmp_path: Path) -> None:
    place = make_sandbox(tmp_path)
    (place.work_dir / "sources" / "herald.toml").write_bytes(DEFINITION.encode() + b"# \xff\n")
    for words in (("edit", "herald"), ("disable", "herald")):
        ended = place.run_crawler("sources", *words)
        assert (ended.code, "Save it as UTF-8" in ended.err, "Traceback" in ended.err) == (2, True, False), ended.err


@pytest.mark.parametrize(("new", "code"), [("Herald of the Valley", 0), ('"', 2)])
def test_editor_changes_the_definition(tmp_path: Path, new: str, code: int) -> None:
    place = make_sandbox(tmp_path)
    editor = tmp_path / "editor.sh"
    editor.write_text(f"#!/bin/sh\nsed -i 's/Valley Herald/{new}/' \"$1\"\n", encoding="utf-8")
    editor.chmod(0o700)
    ended = place.run_crawler("sources", "edit", "herald", EDITOR=str(editor))
    assert ended.code == code, ended.err
    assert (f'title = "{new}"' in read_source(place)) == (code == 0)


@pytest.mark.slow
def test_disabled_source_is_listed_and_not_crawled(tmp_path: Path) -> None:
    place = make_sandbox(tmp_path)
    assert place.run_crawler("sources", "disable", "herald").code == 0
    assert "herald: Valley Herald (not enabled)" in place.run_crawler("sources").out
    assert place.run_crawler("sources", "enable", "herald").code == 0
    assert "herald: Valley Herald\n" in place.run_crawler("sources").out


@pytest.mark.slow
def test_retired_source_is_out_of_sight(tmp_path: Path) -> None:
    place = make_sandbox(tmp_path)
    assert place.run_crawler("sources", "retire", "herald").code == 0
    assert "herald" not in place.run_crawler("sources").out
    crawled = place.run_crawler("crawl", "herald")
    assert (crawled.code, "`crawler sources enable herald`" in crawled.err) == (2, True), crawled.err
    assert place.run_crawler("sources", "enable", "herald").code == 0
    assert "herald: Valley Herald\n" in place.run_crawler("sources").out


def test_edited_text_with_a_mistake_is_kept_and_opened_again(tmp_path: Path) -> None:
    place = make_sandbox(tmp_path)
    editor = tmp_path / "editor.sh"

    def edit(script: str) -> CommandResult:
        editor.write_text(f"#!/bin/sh\nsed -i '{script}' \"$1\"\n", encoding="utf-8")
        editor.chmod(0o700)
        return place.run_crawler("sources", "edit", "herald", EDITOR=str(editor))

    before, kept = read_source(place), place.work_dir / "sources" / "herald.toml.edited"
    wrong = edit("s/min_links = 5/min_links = -7/")
    assert (wrong.code, wrong.err.count("\n"), str(kept) in wrong.err) == (2, 1, True), wrong.err
    assert read_source(place) == before
    assert "min_links = -7" in kept.read_text(encoding="utf-8")
    right = edit("s/min_links = -7/min_links = 7/")
    assert right.code == 0, right.err
    assert "min_links = 7" in read_source(place)
    assert not kept.exists()


def test_change_made_while_the_editor_is_open_is_not_lost(tmp_path: Path) -> None:
    place = make_sandbox(tmp_path)
    path, kept = (place.work_dir / "sources" / f"herald.toml{suffix}" for suffix in ("", ".edited"))
    editor = tmp_path / "editor.sh"
    editor.write_text(f"#!/bin/sh\necho 'enabled = false' >> '{path}'\necho 'jitter = 7' >> \"$1\"\n", encoding="utf-8")
    editor.chmod(0o700)
    path.write_text(DEFINITION.partition("enabled")[0], encoding="utf-8")
    ended = place.run_crawler("sources", "edit", "herald", EDITOR=str(editor))
    assert (ended.code, "was changed meanwhile" in ended.err, str(kept) in ended.err) == (2, True, True), ended.err
    assert "enabled = false" in read_source(place)
    assert "jitter = 7" in kept.read_text(encoding="utf-8")


def test_two_changes_at_once_are_both_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = make_sandbox(tmp_path)
    monkeypatch.setattr(current_folder, "path", place.work_dir / "sources")

    set_values = source_files.set_values

    def set_slowly(*values: Any) -> str:
        time.sleep(0.2)
        return set_values(*values)

    monkeypatch.setattr(source_files, "set_values", set_slowly)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(source_files.change_definition, ["herald"] * 2, [{"jitter": 7}, {"expect.min_links": 7}]))
    values = tomllib.loads(read_source(place))
    assert (values["jitter"], values["expect"]["min_links"]) == (7, 7)


def test_two_new_sources_of_one_name_do_not_replace_each_other(
    tmp_path: Path, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(current_folder, "path", tmp_path / "sources")
    parse = source_files.parse_definition

    def parse_slowly(text: str, name: str) -> SourceDefinition:
        time.sleep(0.2)
        return parse(text, name)

    monkeypatch.setattr(source_files, "parse_definition", parse_slowly)

    def write(text: str) -> str | None:
        try:
            source_files.write_new_source("herald", text, {}, [], config)
        except UsageError:
            return None
        return text

    with ThreadPoolExecutor(2) as pool:
        written = list(pool.map(write, [DEFINITION, DEFINITION.replace("Valley", "Other")]))
    (kept,) = [text for text in written if text]
    assert (tmp_path / "sources" / "herald.toml").read_text(encoding="utf-8") == kept


@pytest.mark.parametrize("command", ["edit", "disable", "enable", "retire"])
def test_built_in_and_unknown_sources_are_explained(tmp_path: Path, command: str) -> None:
    place = make_sandbox(tmp_path)
    built_in = place.run_crawler("sources", command, "mfa")
    assert (built_in.code, "mfa is a built-in source" in built_in.err) == (2, True), built_in.err
    unknown = place.run_crawler("sources", command, "heral")
    assert (unknown.code, "did you mean 'herald'" in unknown.err) == (2, True), unknown.err


@pytest.mark.slow
def test_bundle_brings_a_source_to_a_colleague(tmp_path: Path) -> None:
    place = make_sandbox(tmp_path / "one")
    folder = place.work_dir / "snapshots" / "herald"
    folder.mkdir(parents=True)
    (folder / "storm.html").write_text("<html><body><h1>Storm</h1></body></html>", encoding="utf-8")
    (folder / "storm.meta.json").write_text(json.dumps(SNAPSHOT), encoding="utf-8")
    exported = place.run_crawler("sources", "export", "herald", "-o", "herald.zip")
    assert (exported.code, exported.out) == (0, "herald.zip: 1 source, 3 files\n"), exported.err
    other = make_sandbox(tmp_path / "two", text="")
    bundle = place.work_dir / "herald.zip"
    imported = other.run_crawler("sources", "import", bundle)
    assert imported.code == 0, imported.err
    assert "herald: Valley Herald (not enabled)" in other.run_crawler("sources").out
    assert "# My own remark." in read_source(other)
    copied = other.work_dir / "snapshots" / "herald" / "storm.html"
    assert copied.read_bytes() == (folder / "storm.html").read_bytes()
    again = other.run_crawler("sources", "import", bundle)
    assert (again.code, "There is a source 'herald' already" in again.err) == (2, True)
    former = other.work_dir / "snapshots" / "herald" / "former.html"
    former.write_text("<p>A page of another form.</p>", encoding="utf-8")
    own = former.with_name("notes.md")
    own.write_text("Mine.", encoding="utf-8")
    assert other.run_crawler("sources", "import", bundle, "--overwrite").code == 0
    assert (former.exists(), own.exists()) == (False, True)


def write_bundle(path: Path, *files: tuple[str, str], index: str = '{"format": 1}') -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("bundle.json", index)
        for name, content in files:
            bundle.writestr(name, content)
    return path


HOSTILE: dict[str, tuple[tuple[str, str], ...]] = {
    "above the folder": (("sources/herald.toml", DEFINITION), ("../evil.toml", "x = 1")),
    "above the snapshots": (("sources/herald.toml", DEFINITION), ("snapshots/herald/../../evil.html", "x")),
    "absolute": (("/etc/evil.toml", DEFINITION),),
    "backslashes": (("sources\\herald.toml", DEFINITION),),
    "another file": (("sources/herald.toml", DEFINITION), ("crawler.toml", "[alarms]")),
    "a program": (("sources/herald.toml", DEFINITION), ("snapshots/herald/run.py", "import os")),
    "a hidden file": (("sources/herald.toml", DEFINITION), ("snapshots/herald/.html", "x")),
    "no definition": (("snapshots/herald/a.html", "x"),),
    "a broken definition": (("sources/herald.toml", "title = "),),
    "a broken memory": (("sources/herald.toml", DEFINITION), ("sources/herald.memory.json", "[]")),
    "a memory of infinite numbers": (
        ("sources/herald.toml", DEFINITION),
        ("sources/herald.memory.json", json.dumps({**SiteMemory("x").to_dict(), "pages": {"a": float("inf")}})),
    ),
    "broken meta": (("sources/herald.toml", DEFINITION), ("snapshots/herald/a.meta.json", "{")),
    "a built-in name": (("sources/mfa.toml", DEFINITION),),
    "nothing": (),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_bundle_writes_nothing(tmp_path: Path, kind: str) -> None:
    place = make_sandbox(tmp_path / "place", text="")
    before = sorted(path for path in tmp_path.rglob("*") if ".cache" not in path.parts)
    bundle = write_bundle(tmp_path / "bundle.zip", *HOSTILE[kind])
    ended = place.run_crawler("sources", "import", bundle)
    assert (ended.code, "Traceback" in ended.err) == (2, False), ended.err
    after = sorted(path for path in tmp_path.rglob("*") if ".cache" not in path.parts)
    assert after == sorted([*before, bundle])


def make_link(path: Path) -> None:
    info = zipfile.ZipInfo("snapshots/herald/a.html")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "w") as bundle:
        bundle.writestr("bundle.json", '{"format": 1}')
        bundle.writestr("sources/herald.toml", DEFINITION)
        bundle.writestr(info, "/etc/passwd")


def make_bomb(path: Path) -> None:
    write_bundle(path, ("sources/herald.toml", DEFINITION), ("snapshots/herald/a.html", "x" * 25_000_000))


def make_crowd(path: Path) -> None:
    files = ((f"snapshots/herald/{number}.html", "") for number in range(2_100))
    write_bundle(path, ("sources/herald.toml", DEFINITION), *files)


def make_text(path: Path) -> None:
    path.write_text("no zip", encoding="utf-8")


def make_other_format(path: Path) -> None:
    write_bundle(path, ("sources/herald.toml", DEFINITION), index='{"format": 9}')


def make_damaged(path: Path) -> None:
    write_bundle(path, ("sources/herald.toml", DEFINITION * 50))
    content = bytearray(path.read_bytes())
    content[content.index(b"herald.toml") + 15] ^= 0xFF
    path.write_bytes(content)


@pytest.mark.parametrize("make", [make_link, make_bomb, make_crowd, make_text, make_other_format, make_damaged])
def test_bundle_with_links_or_of_any_size_writes_nothing(tmp_path: Path, make: Callable[[Path], None]) -> None:
    place = make_sandbox(tmp_path / "place", text="")
    bundle = tmp_path / "bundle.zip"
    make(bundle)
    ended = place.run_crawler("sources", "import", bundle)
    assert (ended.code, "Traceback" in ended.err) == (2, False), ended.err
    assert not list((place.work_dir / "sources").iterdir())
    assert not (place.work_dir / "snapshots").exists()


def test_imported_source_permits_no_more_than_usual(tmp_path: Path) -> None:
    place = make_sandbox(tmp_path / "place", text="")
    text = DEFINITION + "\n[rights]\nexcerpt_share = 1.0\nlink_required = false\n"
    ended = place.run_crawler("sources", "import", write_bundle(tmp_path / "bundle.zip", ("sources/herald.toml", text)))
    assert ended.code == 0, ended.err
    assert "set to 30 %" in ended.err
    assert "outputs carry at most 30% and the link" in place.run_crawler("sources").out


def test_schema_is_printed(tmp_path: Path) -> None:
    printed = make_sandbox(tmp_path).run_crawler("sources", "schema")
    assert json.loads(printed.out)["$schema"].startswith("https://json-schema.org/")
