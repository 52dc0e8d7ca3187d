"""`crawler compare`, `crawler stories` and `crawler story`."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from support.empty_stores import open_test_store
from typer.testing import CliRunner

from crawler.cli.app import app
from crawler.errors import UsageError
from crawler.items import Article, Verdict

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
TEXT = (
    "Президент Казахстана принял главу Всемирного союза пасечников Ингрид Лундквист. Касым-Жомарт Токаев рассказал о "
    "мёде с Алтая. Собеседники обсудили выставку в Иордании и 14 совместных пасек."
)
ENGLISH = (
    "Kassym-Jomart Tokayev, President of Kazakhstan, received Ingrid Lundqvist, head of the World Union of Beekeepers. "
    "They spoke of an exhibition in Jordan and of 14 joint apiaries."
)


def run(*arguments: str, given: str | None = None) -> str:
    found = CliRunner().invoke(app, arguments, input=given, catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.output


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CRAWLER_DATABASE", f"sqlite:///{tmp_path / 'crawler.db'}")
    with open_test_store(f"sqlite:///{tmp_path / 'crawler.db'}") as store:
        for name, language, body in (("1", "ru", TEXT), ("2", "ru", f"Новости. {TEXT}"), ("3", "en", ENGLISH)):
            article = Article(
                id=f"mfa:{name}:{language}",
                source="mfa",
                url=f"https://mfa.example/{name}",
                body=body,
                language=language,
                published_at=NOON,
                verdict=Verdict.NEW,
                version=1,
            )
            store.articles.save(article, content_hash=body, run_id=None, seen_at=NOON)
    return tmp_path


def test_files_ids_and_urls_are_compared(stored: Path) -> None:
    (stored / "a.txt").write_text(TEXT, encoding="utf-8")
    assert run("compare", "a.txt", "mfa:1:ru").startswith("exact\n")
    assert run("compare", "mfa:1:ru", "mfa:2:ru").startswith("near duplicate\n")
    assert run("compare", "1", "3") == "same story\n  They report one event in different words.\n"
    found = json.loads(run("compare", "https://mfa.example/1", "mfa:3:en", "--json"))
    assert found["verdict"] == "same_story"
    assert "lndkvst" in found["common"]


def test_lines_of_pairs_from_standard_input(stored: Path) -> None:
    pairs = [
        {
            "id": 1,
            "a": {"url": "https://x.example/1", "lang": "ru", "text": TEXT, "published": None},
            "b": {"text": TEXT},
        },
        {
            "id": "2",
            "a": {"text": TEXT, "title": "Встреча", "published": "2026-03-06"},
            "b": {"text": ENGLISH, "published": "2026-03-06T10:00:00+05:00"},
        },
        {"id": "3", "a": {"text": TEXT, "published": "вчера"}, "b": {"text": "Совсем другое."}},
    ]
    lines = "\n".join(json.dumps(pair) for pair in pairs)
    found = [json.loads(line) for line in run("compare", "--jsonl", given=lines).splitlines()]
    assert [(row["id"], row["verdict"]) for row in found] == [(1, "exact"), ("2", "same_story"), ("3", "different")]
    assert found[1]["scores"]["event"] > found[1]["scores"]["event_needed"]


@pytest.mark.parametrize(
    ("arguments", "given", "message"),
    [
        (("compare", "--jsonl"), "{}", 'line 1 of standard input needs "id"'),
        (("compare", "--jsonl"), "no", "line 1 of standard input is not JSON"),
        (("compare", "--jsonl"), "", "no line in standard input"),
        (("compare", "mfa:1:ru"), "", "needs two articles"),
        (("compare", "mfa:1:ru", "mfa:9:ru"), "", "'mfa:9:ru' is no text file"),
        (("story", "7"), "", "There is no story 7"),
        (("story", "1", "merge"), "", "needs the other story's number"),
    ],
)
def test_wrong_arguments_are_refused(stored: Path, arguments: tuple[str, ...], given: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        CliRunner().invoke(app, arguments, input=given, catch_exceptions=False)


def test_story_is_split_and_undone(stored: Path) -> None:
    listed = [json.loads(line) for line in run("stories", "--json").splitlines()]
    assert [[row["id"] for row in story["articles"]] for story in listed] == [["mfa:1:ru", "mfa:2:ru", "mfa:3:en"]]
    clusters = [row["cluster"] for row in listed[0]["articles"]]
    assert clusters[0] == clusters[1] != clusters[2]
    number = str(listed[0]["id"])
    assert "3 articles, 2 texts, mfa; en 2026-03-06 12:00; kk: none; ru 2026-03-06 12:00" in run("stories")
    assert "mfa:3:en" not in run("story", number, "split", "mfa:3:en")
    assert "mfa:3:en" in run("story", number, "undo")
    assert "0 stories" in run("stories", "--since", "2026-03-07")
    assert run("story", "mfa:3:en") == run("story", number)


def test_split_that_ended_a_story_is_undone_by_an_article(stored: Path) -> None:
    number = str(json.loads(run("stories", "--json"))["id"])
    run("story", number, "split", "mfa:3:en")
    said = run("story", number, "split", "mfa:2:ru")
    assert (
        said == f"Story {number} has no two articles left and is gone; `crawler story mfa:2:ru undo` takes that back.\n"
    )
    assert {"mfa:1:ru", "mfa:2:ru"} <= set(run("story", "mfa:2:ru", "undo").split())
    with pytest.raises(UsageError, match="mfa:3:en is in no story"):
        run("story", "mfa:3:en")
    assert "mfa:3:en" in run("story", "mfa:2:ru", "undo")  # the first split was about it too
    with pytest.raises(UsageError, match="nothing to undo for mfa:2:ru"):
        run("story", "mfa:2:ru", "undo")
    with pytest.raises(UsageError, match="is neither a story's number nor an article's id"):
        run("story", "mfa:9:en")


def test_a_story_shows_its_language_versions(stored: Path) -> None:
    base = "https://www.gov.kz/memleket/entities/mfa/press/news/details/7?lang="
    with open_test_store(f"sqlite:///{stored / 'crawler.db'}") as store:
        for language, hours, body in (
            ("ru", 0, "Спасены 30 детей и 1 000 семей."),
            ("en", 26, "1,000 families saved."),
        ):
            article = Article(
                id=f"mfa:7:{language}",
                source="mfa",
                url=base + language,
                body=body,
                language=language,
                published_at=NOON + timedelta(hours=hours),
                verdict=Verdict.NEW,
                version=1,
            )
            store.articles.save(article, content_hash=body, run_id=None, seen_at=NOON)
        store.clusters.assign_pending(ZoneInfo("Asia/Almaty"))
        number = str(store.stories.get_id_by_article("mfa:7:ru"))
    line = "mfa 7: kk: none; ru 2026-03-06 12:00; en +26 hours; en lacks 30, which another version has"
    assert line in run("story", number)
    (release,) = json.loads(run("story", number, "--json"))["releases"]
    assert release["published_at"] == {"ru": "2026-03-06T12:00:00+00:00", "en": "2026-03-07T14:00:00+00:00"}
    assert release["missing"] == ["kk"]
    assert release["late_hours"] == {"en": 26.0}
    assert release["lacking_numbers"] == {"en": [30.0]}


def test_languages_of_a_source_are_a_setting(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRAWLER_SOURCES__MFA__LANGUAGES", '["ru", "en"]')
    found = run("story", str(json.loads(run("stories", "--json").splitlines()[0])["id"]))
    assert "mfa 1: en: none; ru 2026" in found


def test_release_in_one_language_shows_missing_languages(stored: Path) -> None:
    """Such a release is in no story, so its versions tell it."""
    assert "languages: kk: none; en: none; ru 2026-03-06 12:00" in run("versions", "mfa:1:ru")
    (row,) = [json.loads(line) for line in run("versions", "mfa:1:ru", "--json").splitlines()]
    assert row["missing_languages"] == ["kk", "en"]
