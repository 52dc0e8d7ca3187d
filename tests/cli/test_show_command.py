"""`crawler show`: an article as it is stored, in any version."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.empty_stores import open_test_store
from support.factories import make_article
from typer.testing import CliRunner

from crawler.cli.app import app
from crawler.errors import UsageError
from crawler.items import ArticleFlag, Match, Strength, Verdict

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
BODY = "The ICRC and the Red Cross met.\nA second paragraph."


def make_match(word: str, rule: str = "ihl", **values: object) -> Match:
    start = BODY.index(word)
    match = Match(rule=rule, term=word, surface=word, field="body", start=start, end=start + len(word), sentence=BODY)
    return replace(match, **values)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An article in two versions, and a copy of it in a story with it."""
    url = f"sqlite:///{tmp_path / 'crawler.db'}"
    monkeypatch.setenv("CRAWLER_DATABASE", url)
    weak = make_match("Red Cross", "red-cross-movement", strength=Strength.WEAK, reason="no support nearby")
    first = make_article(
        "1",
        source="qazmonitor",
        language="en",
        title="A meeting",
        lead="They met.",
        body=BODY,
        place="Astana",
        published_at=NOON,
        fetched_at=NOON,
        matches=(make_match("ICRC"), weak),
        provenance={"title": "h1", "body": "div.article"},
        flags=(ArticleFlag.FUTURE_DATE,),
    )
    later = NOON + timedelta(days=1)
    second = replace(
        first, body="They met in Astana.", matches=(), version=2, verdict=Verdict.REVISED, fetched_at=later
    )
    copy = replace(first, id="ktkz:7:en", source="ktkz", verdict=Verdict.COPY, copy_of=first.id, flags=())
    with open_test_store(url) as store:
        for each in (first, second, copy):
            store.articles.save(each, content_hash=each.body, run_id=None, seen_at=each.fetched_at or NOON)


def show(*arguments: str) -> str:
    found = CliRunner().invoke(app, ["show", *arguments], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.stdout


def test_earlier_version_is_shown_with_what_is_known_about_it() -> None:
    lines = show("qazmonitor:1:en", "--version", "1").splitlines()
    assert lines[:8] == [
        "A meeting",
        "QazMonitor · en · 2026-03-06 17:00 · Astana",
        "https://qazmonitor.example/1?lang=en",
        "",
        "They met.",
        "",
        "The *ICRC* and the *Red Cross* met.",
        "A second paragraph.",
    ]
    assert lines[8] == ""
    rows = [[line[:12].strip(), line[13:]] for line in lines[9:]]
    assert [label for label, _ in rows[:4]] == ["article", "shown", "version", "version"]
    found = dict(rows)
    assert found["shown"].startswith("version 1  new")
    assert found["version"].startswith("2  revised")
    assert "substantive" in found["version"]
    assert ["match", "ihl (strong): ICRC"] in rows
    assert ["match", "red-cross-movement (weak): Red Cross – no support nearby"] in rows
    assert ["provenance", "title: h1"] in rows
    assert found["rights"].startswith("30% of the text may be quoted, with a link")
    assert "doubtful" in found


def test_current_version_is_the_default() -> None:
    lines = show("qazmonitor:1:en").splitlines()
    assert lines[6] == "They met in Astana."
    assert lines[9].startswith("shown        version 2  revised")


def test_copy_names_its_original() -> None:
    assert "same text    qazmonitor:1:en\n" in show("ktkz:7:en")


def test_json_has_the_article_and_its_versions() -> None:
    values = json.loads(show("qazmonitor:1:en", "--version", "1", "--json"))
    assert (values["version"], values["current_version"], values["body"]) == (1, 2, BODY)
    assert [each["version"] for each in values["versions"]] == [1, 2]
    assert values["rights_today"]["excerpt_share"] == 0.3


def test_missing_version_is_an_error_that_names_the_others() -> None:
    with pytest.raises(UsageError, match=r"no version 3\. Its versions: 1, 2\."):
        show("qazmonitor:1:en", "--version", "3")
    with pytest.raises(UsageError, match="no stored article"):
        show("nowhere")
