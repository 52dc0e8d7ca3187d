"""The benchmark of the generic extractor prints figures that follow from the pages, and splits by site."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from support.unknown_sites import PAGES, UnknownSitePage, make_wordpress_page

from benchmarks import extraction


def test_pages_of_one_site_are_on_one_side() -> None:
    sides = {extraction.is_held_out(f"https://{www}site.example/{n}") for www in ("", "www.") for n in range(9)}
    assert len(sides) == 1
    assert {extraction.is_held_out(f"https://s{n}.example/") for n in range(9)} == {True, False}


@pytest.mark.parametrize(
    ("found", "wanted", "optional", "score"),
    [
        ("One two, three", "one TWO three", "", 1.0),
        ("one two", "one three", "", 0.5),
        ("one two four", "one two", "four", 1.0),
        ("", "one", "", 0.0),
    ],
)
def test_the_score_is_the_f1_of_words(found: str, wanted: str, optional: str, score: float) -> None:
    assert extraction.score_body(found, wanted, optional) == score


def write_labelled_pages(folder: Path, pages: list[UnknownSitePage]) -> None:
    gold = {}
    for number, page in enumerate(pages):
        (folder / f"{number}.html").write_text(page.html, encoding="utf-8")
        wanted = {"title": page.title, "body": "\n".join(page.paragraphs), "published": [page.published_at[:10]]}
        gold[str(number)] = {
            "file": f"{number}.html",
            "source": "own",
            "lang": page.language,
            "url": page.url,
            "gold": wanted,
        }
    (folder / "gold.json").write_text(json.dumps(gold), encoding="utf-8")


def test_both_tables_are_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("trafilatura", reason="the extra crawler[sites] is not installed")
    write_labelled_pages(tmp_path, [*(make_wordpress_page(number) for number in range(5)), PAGES[1]])
    for words in (["--sample", "6"], ["--warm"]):
        monkeypatch.setattr("sys.argv", ["extraction", str(tmp_path), *words])
        extraction.main()
    rows = {line[:24].strip(): line[24:].split() for line in capsys.readouterr().out.splitlines()}
    assert "1.000" in rows["crawler, cold"]
    assert float(rows["trafilatura, default"][-1]) >= 0
    assert next(value for key, value in rows.items() if key.startswith("all"))[-2] == "1.000"


def test_each_site_is_read_by_the_weights_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("trafilatura", reason="the extra crawler[sites] is not installed")
    weights = pytest.importorskip("benchmarks.extraction_weights", reason="numpy is not installed")
    write_labelled_pages(
        tmp_path, [replace(make_wordpress_page(n), url=f"https://s{n}.example/{n}") for n in range(12)]
    )
    monkeypatch.setattr("sys.argv", ["weights", str(tmp_path), str(tmp_path / "gold.json"), "--check"])
    weights.main()
    rows = {line.split()[0]: line.split()[1:] for line in capsys.readouterr().out.splitlines()}
    assert rows["own"] == rows["mean"]
    assert rows["mean"][0] == "12"
    assert float(rows["mean"][1]) > 0.9
