"""Test the benchmark of the pipeline with a few pages: every row runs, and the corpus is what it claims to be."""

from __future__ import annotations

import re
from collections import Counter
from types import SimpleNamespace

import pytest

from benchmarks import measured, spine
from benchmarks.corpus import LANGUAGES, make_crowd, make_releases
from crawler import settings
from crawler.text.language import detect_language


def test_corpus_has_three_languages_copies_and_revisions() -> None:
    releases = make_releases(100)
    assert releases == make_releases(100)
    assert {detect_language("\n".join(release.paragraphs)) for release in releases} == set(LANGUAGES)
    texts = Counter(release.paragraphs for release in releases)
    assert sorted(texts.values())[-2:] == [2, 2] and len(texts) == 99
    (revised,) = [id for id, number in Counter(release.id for release in releases).items() if number > 1]
    assert len({release.paragraphs for release in releases if release.id == revised}) == 2


def test_crowd_differs_in_words() -> None:
    assert len({release.paragraphs for release in make_crowd(30)}) == 30


@pytest.mark.parametrize("part", sorted(measured.PARTS.keys() - {"archive", "index", "events"}))
def test_a_part_is_found_in_the_settings(part: str) -> None:
    """The three others are no components: a variable, a function, an argument."""
    found = SimpleNamespace(
        ITEM_PIPELINES=dict(settings.ITEM_PIPELINES),
        DOWNLOADER_MIDDLEWARES=dict(settings.DOWNLOADER_MIDDLEWARES),
        EXTENSIONS=dict(settings.EXTENSIONS),
    )
    measured.PARTS[part](found)
    assert any(part in row.what for row in spine.PARTS)


@pytest.mark.slow
@pytest.mark.campaign
def test_spine_runs_every_row_and_leaves_parts_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spine, "PARTS", spine.PARTS[-1:])  # the row without all of them
    spine.main(["--pages", "20", "--rounds", "1", "--parts"])
    output = capsys.readouterr().out
    assert re.fullmatch(r"spine/bare cpu=\d\.\d\d wall=\d\.\d\d", output.splitlines()[-1])
    for row in (*spine.ROWS, *spine.PARTS):
        assert f"\n{row.label}" in output
    assert "19 deferred, 0 links, 0 stories" in output
    assert "0 deferred, 190 links, 1 stories" in output
