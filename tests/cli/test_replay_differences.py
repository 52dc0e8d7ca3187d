"""What `crawler replay` prints of two values that differ."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.sandbox import ROOT, Sandbox

from crawler.cli.commands.replay import format_difference

DEFINITION = """title = "Valley"
origins = ["https://valley.example"]
starts = ["https://valley.example/"]
addresses = ["/news/{number}"]
"""
LONG = " ".join(f"word{number}" for number in range(200))


def test_short_values_are_shown_whole() -> None:
    assert format_difference("0.title", "One", None) == ["    expected One", "    found    null"]


def test_values_of_two_kinds_are_not_compared_by_character() -> None:
    expected, found = format_difference("articles", 1, LONG)
    assert expected == "    expected 1"
    assert found.startswith("    found    word0 word1")


@pytest.mark.parametrize("field", ["0.body", "0.body_starts"])
def test_long_texts_are_shown_around_the_first_difference(field: str) -> None:
    where, expected, found = format_difference(field, LONG, LONG.replace("word100 ", "wort100 "))
    at = LONG.index("word100") + 3
    assert where == f"    first difference at character {at}"
    assert "word99 word100 word101" in expected
    assert "word99 wort100 word101" in found
    assert max(len(expected), len(found)) < 230
    assert expected.startswith("    expected …")
    assert expected.endswith("…")


def test_a_text_that_ends_early_is_shown_as_such() -> None:
    _, expected, found = format_difference("0.body", LONG, LONG[:400])
    assert found.endswith("(ends here)")
    assert LONG[400:420] in expected


def test_the_end_of_a_body_is_compared_with_its_end() -> None:
    where, _, found = format_difference("0.body_ends", LONG[-300:], f"{LONG[:-1]}?")
    assert where == "    first difference at character 299"
    assert found.endswith("word199"[:-1] + "?")


def test_lists_are_compared_as_text() -> None:
    links = [f"https://news.example/{number}" for number in range(40)]
    where, expected, found = format_difference("links", links, [*links[:30], *links[31:]])
    assert where.startswith("    first difference")
    assert "news.example/30" in expected
    assert "news.example/31" in found


def test_the_command_prints_the_place(tmp_path: Path) -> None:
    folder = tmp_path / "snapshots" / "qazmonitor"
    folder.mkdir(parents=True)
    for path in (ROOT / "snapshots" / "qazmonitor").glob("article_1405.*"):
        shutil.copy(path, folder)
    place = folder / "article_1405.expected.json"
    text = place.read_text(encoding="utf-8")
    head, mark, rest = text.partition('"title": "')
    assert mark
    place.write_text(f"{head}{mark}{'x' * 250}{rest}", encoding="utf-8")
    words = ("replay", "--snapshots", folder.parent)
    done = Sandbox(tmp_path).run_crawler(*words)
    assert done.code == 12
    assert "    first difference at character 0\n    expected xxx" in done.out
    (folder / "article_1405.meta.json").unlink()
    page = folder / "article_1405.html"
    replayed, extracted = Sandbox(tmp_path).run_many(words, ("extract", page, "--source", "qazmonitor"))
    assert "    found    article_1405.html: the field" in replayed.out
    assert extracted.err.startswith(f"crawler: {page}: the field")


def test_failure_is_not_accepted_as_a_result(tmp_path: Path) -> None:
    place = Sandbox(tmp_path)
    folder = place.work_dir / "snapshots" / "valley"
    folder.mkdir(parents=True)
    (place.work_dir / "crawler.toml").touch()
    (place.work_dir / "sources").mkdir()
    (place.work_dir / "sources" / "valley.toml").write_text(DEFINITION, encoding="utf-8")
    (folder / "list.html").write_text("<p>There are no links any more.</p>", encoding="utf-8")
    (folder / "list.meta.json").write_text('{"url": "https://valley.example/", "status": 200}', encoding="utf-8")
    expected = folder / "list.expected.json"
    expected.write_text('{"links": ["https://valley.example/news/1"]}', encoding="utf-8")
    before = expected.read_bytes()
    refused = place.run_crawler("replay", "valley", "--accept", "as it is")
    assert refused.code == 12
    assert refused.err == (
        "crawler: snapshots/valley/list.html: not accepted, because a page that cannot be read is no result. "
        "https://valley.example/: the field 'links' was looked for with 'addresses of articles', found none. "
        "Correct `links` in sources/valley.toml: docs/add-a-source.md shows how.\n"
    )
    assert expected.read_bytes() == before
    expected.write_text('{"raises": "PageChanged"}', encoding="utf-8")
    assert place.run_crawler("replay", "valley", "--accept", "as it is").code == 0
