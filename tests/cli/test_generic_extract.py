"""`crawler extract --generic`: one page, and pages that JSON lines name; failures are lines of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.unknown_sites import PAGES, make_wordpress_page
from typer.testing import CliRunner, Result

from crawler.cli.app import app
from crawler.errors import UsageError
from crawler.generic import extractors, page_list

FIELDS = {"id", "title", "body", "published_at", "author", "language", "evidence"}


def run_extract(*words: object) -> Result:
    result = CliRunner().invoke(app, ["extract", *map(str, words)])
    if isinstance(result.exception, UsageError):
        raise result.exception
    return result


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """A list of two pages beside it, and lines that no page can be read for."""
    rows: list[str] = []
    for number, page in enumerate(PAGES[:2]):
        (tmp_path / f"{number}.html").write_text(page.html, encoding="utf-8")
        rows.append(json.dumps({"id": number, "file": f"{number}.html", "url": page.url}))
    rows += ["{broken", '{"id": "gone", "file": "gone.html"}', '{"id": "nameless"}', "[]", ""]
    file = tmp_path / "pages.jsonl"
    file.write_text("\n".join(rows), encoding="utf-8")
    return file


def test_each_line_has_its_row(listed: Path) -> None:
    pytest.importorskip("trafilatura", reason="the extra crawler[sites] is not installed")
    result = run_extract("--generic", "--jsonl", listed)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert [row["id"] for row in rows] == [0, 1, None, "gone", "nameless", None]
    assert [set(row) == FIELDS for row in rows] == [True, True, False, False, False, False]
    assert [row["title"] for row in rows[:2]] == [page.title for page in PAGES[:2]]
    assert all(set(row) == {"id", "error"} for row in rows[2:])
    assert "gone.html cannot be read" in rows[3]["error"]


@pytest.mark.parametrize(("lines", "message"), [("", "There is no line in"), ("[]\n{broken", "None of the 2 pages of")])
def test_a_list_without_a_page_that_can_be_read_is_an_error(tmp_path: Path, lines: str, message: str) -> None:
    pytest.importorskip("trafilatura", reason="the extra crawler[sites] is not installed")
    listed = tmp_path / "pages.jsonl"
    listed.write_text(lines, encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        run_extract("--generic", "--jsonl", listed)


def test_one_page_is_printed_without_an_id(listed: Path) -> None:
    pytest.importorskip("trafilatura", reason="the extra crawler[sites] is not installed")
    result = run_extract("--generic", listed.parent / "1.html", "--url", PAGES[1].url)
    (row,) = [json.loads(line) for line in result.stdout.splitlines()]
    assert set(row) == FIELDS - {"id"}
    assert row["published_at"] == PAGES[1].published_at


def read_wordpress_pages(folder: Path, numbers: range, container: str = "entry-content") -> list[dict[str, Any]]:
    rows = []
    for number in numbers:
        page = make_wordpress_page(number)
        html = page.html.replace("entry-content", container)
        (folder / f"{number}.html").write_text(html, encoding="utf-8")
        rows.append(json.dumps({"id": number, "file": f"{number}.html", "url": page.url}))
    (folder / "pages.jsonl").write_text("\n".join(rows), encoding="utf-8")
    result = run_extract("--generic", "--jsonl", folder / "pages.jsonl", "--site-memory", folder / "sites")
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_folder_learns_the_sites_of_a_list(tmp_path: Path) -> None:
    pytest.importorskip("trafilatura", reason="the extra crawler[sites] is not installed")
    articles = read_wordpress_pages(tmp_path, range(4))
    assert [each["body"] for each in articles] == ["\n".join(make_wordpress_page(n).paragraphs) for n in range(4)]
    assert all("pages" in each["evidence"]["body"] for each in articles)
    memory = json.loads((tmp_path / "sites" / "herald.example.json").read_text(encoding="utf-8"))
    assert len(memory["pages"]) == 4


def test_a_site_that_is_well_known_is_not_learned_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("trafilatura", reason="the extra crawler[sites] is not installed")
    read_wordpress_pages(tmp_path, range(6))
    known = (tmp_path / "sites" / "herald.example.json").read_text(encoding="utf-8")
    learned: list[str] = []
    monkeypatch.setattr(page_list, "read_page", lambda page, memory: learned.append(page.url))
    articles = read_wordpress_pages(tmp_path, range(6, 9))
    assert [each["body"] for each in articles] == ["\n".join(make_wordpress_page(n).paragraphs) for n in range(6, 9)]
    memory = json.loads((tmp_path / "sites" / "herald.example.json").read_text(encoding="utf-8"))
    assert memory == {**json.loads(known), "unchecked": memory["unchecked"]}
    assert learned == []


def test_a_site_is_learned_again_after_three_pages_of_another_layout(tmp_path: Path) -> None:
    pytest.importorskip("trafilatura", reason="the extra crawler[sites] is not installed")
    read_wordpress_pages(tmp_path, range(6))
    articles = read_wordpress_pages(tmp_path, range(6, 10), container="story")
    assert [each["body"] for each in articles] == ["\n".join(make_wordpress_page(n).paragraphs) for n in range(6, 10)]
    memory = json.loads((tmp_path / "sites" / "herald.example.json").read_text(encoding="utf-8"))
    assert len(memory["layout_changes"]) == 1
    assert list(memory["pages"]) == [make_wordpress_page(9).url]


def test_without_the_extra_one_sentence_names_the_command(listed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extractors, "REQUIRED_PACKAGES", ("no_such_package",))
    with pytest.raises(UsageError, match=r'pip install "\.\[sites\]"'):
        run_extract("--generic", "--jsonl", listed)


@pytest.mark.parametrize(
    "words",
    [
        ("--jsonl", "x.jsonl"),
        ("x.html", "--site-memory", "d"),
        ("--generic",),
        ("--generic", "x.html", "--source", "mfa"),
        ("x.html",),
        (),
    ],
)
def test_options_that_make_no_sense_together_are_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        run_extract(*words)
