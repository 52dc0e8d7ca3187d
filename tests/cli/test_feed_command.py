"""`crawler feed`: its content, its file, and wrong arguments."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import feedparser
import pytest
from support.empty_stores import open_test_store
from support.feed_validation import find_atom_errors, find_json_errors, find_rss_errors
from typer.testing import CliRunner

from crawler.cli.app import app
from crawler.errors import UnknownSource, UsageError
from crawler.items import Article, Match, Strength, Verdict

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
PRESIDENT = (
    "Президент Казахстана принял главу Красного Креста Ингрид Лундквист. Касым-Жомарт Токаев рассказал о "
    "мёде с Алтая. Собеседники обсудили выставку в Иордании и 14 совместных пасек."
)
REPRINT = f"Новости дня. {PRESIDENT} Читайте нас каждый день."
OTHER = "The weather was good. The ICRC opened a training of nurses in Almaty. It will last for three weeks or so."


def make_matched_article(name: str, body: str, word: str, rule: str, after: int, **values: object) -> Article:
    at = body.index(word)
    found = Match(rule=rule, term=word, surface=word, field="body", start=at, end=at + len(word), sentence="")
    source, _, language = name.split(":")
    given = {
        "id": name,
        "source": source,
        "url": f"https://{source}.example/{name.replace(':', '-')}",
        "title": f"Title of {name}",
        "body": body,
        "language": language,
        "published_at": NOON + timedelta(hours=after),
        "verdict": Verdict.NEW,
        "version": 1,
        "matches": (found,),
    }
    return Article(**{**given, **values})  # type: ignore[arg-type]


ARTICLES = (
    make_matched_article("mfa:1:ru", PRESIDENT, "Красного Креста", "red-cross-movement", 0),
    make_matched_article("ktkz:2:ru", REPRINT, "Красного Креста", "red-cross-movement", 5),
    make_matched_article("qazmonitor:3:en", OTHER, "ICRC", "ihl", 2),
)


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CRAWLER_DATABASE", f"sqlite:///{tmp_path / 'crawler.db'}")
    with open_test_store(f"sqlite:///{tmp_path / 'crawler.db'}") as store:
        for article in ARTICLES:
            store.articles.save(article, content_hash=article.body, run_id=None, seen_at=article.published_at or NOON)
        store.clusters.assign_pending(ZoneInfo("Asia/Almaty"))
    return tmp_path


def run(*arguments: str) -> bytes:
    found = CliRunner().invoke(app, ["feed", *arguments], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.stdout_bytes


def titles(*arguments: str) -> list[str]:
    return [
        item["title"].removeprefix("Title of ") for item in json.loads(run("--format", "json", *arguments))["items"]
    ]


def test_each_story_that_matched_is_an_entry(stored: Path) -> None:
    assert titles() == ["mfa:1:ru", "qazmonitor:3:en"]
    (story, _) = json.loads(run("--format", "json"))["items"]
    assert [each["url"] for each in story["_crawler"]["related"]] == ["https://ktkz.example/ktkz-2-ru"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--unit", "article"), ["ktkz:2:ru", "qazmonitor:3:en", "mfa:1:ru"]),
        (("ihl",), ["qazmonitor:3:en"]),
        (("--source", "ktkz"), ["ktkz:2:ru"]),
        (("--source", "ktkz", "--source", "qazmonitor"), ["ktkz:2:ru", "qazmonitor:3:en"]),
        (("--language", "en"), ["qazmonitor:3:en"]),
        (("--limit", "1"), ["mfa:1:ru"]),
        (("--since", "2026-03-06T16:00+00:00"), ["mfa:1:ru"]),
        (("geneva-conventions",), []),
    ],
)
def test_filters(stored: Path, arguments: tuple[str, ...], expected: list[str]) -> None:
    assert titles(*arguments) == expected


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("a.atom", find_atom_errors),
        ("a.json", find_json_errors),
        ("a.rss", find_rss_errors),
        ("a.xml", find_atom_errors),
    ],
)
def test_format_follows_the_ending_and_the_file_is_valid(
    stored: Path, name: str, broken: Callable[[bytes], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRAWLER_FEEDS__ADDRESS", "https://example.org/feeds/")
    assert run("-o", name).decode() == f"{name}: 2 entries.\n"
    raw = (stored / name).read_bytes()
    assert broken(raw) == []
    assert f"https://example.org/feeds/{name}" in raw.decode()
    assert sorted(path.name for path in stored.iterdir() if path.suffix != ".db" and "-" not in path.name) == [name]


def test_title_names_the_filters(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRAWLER_FEEDS__TITLE", "Press office")
    found = feedparser.parse(run("ihl", "--language", "en"))
    assert found.feed.title == "Press office: International humanitarian law, en"
    assert found.feed.language == "en"
    assert feedparser.parse(run()).feed.id != found.feed.id == feedparser.parse(run("ihl", "--language", "en")).feed.id


def test_sources_and_topics_are_named_in_the_articles_language(stored: Path) -> None:
    russian = run("red-cross-movement", "--source", "mfa", "--language", "ru").decode()
    assert "Источник: Министерство иностранных дел Казахстана" in russian
    assert "Ministry of Foreign Affairs" not in russian
    assert feedparser.parse(russian).feed.title.startswith("News monitoring: Движение Красного Креста")
    mixed = run().decode()
    assert "Источник: Министерство иностранных дел Казахстана" in mixed
    assert "QazMonitor" in mixed


def test_feed_without_entries_is_valid(stored: Path) -> None:
    assert run("--since", "2026-04-01", "-o", "none.atom") == b"none.atom: 0 entries.\n"
    assert find_atom_errors((stored / "none.atom").read_bytes()) == []


@pytest.mark.parametrize(
    ("arguments", "kind", "said"),
    [
        (("ihll",), UsageError, "There is no rule 'ihll', did you mean 'ihl'?"),
        (("--language", "kz"), UsageError, "There is no language 'kz'. Known languages: en, kk, ky, ru, tg, uz."),
        (("--source", "mfaa"), UnknownSource, "did you mean 'mfa'?"),
        (("-o", "nowhere/a.atom"), UsageError, "there is no folder"),
        (("-o", "a.txt"), UsageError, "-o a.txt: the ending must be one of .atom, .json, .rss, .xml."),
        (("-o", "a"), UsageError, "-o a: the ending must be one of"),
        (("--format", "rss", "-o", "a.json"), UsageError, "-o a.json and --format rss contradict each other"),
        (("--since", "yesterday"), UsageError, "--since 'yesterday' is not a day"),
    ],
)
def test_wrong_word_is_refused_with_the_nearest(
    stored: Path, arguments: tuple[str, ...], kind: type[UsageError], said: str
) -> None:
    with pytest.raises(
        kind, match=r"did you mean|Known languages|is not a day|no folder|the ending|contradict"
    ) as caught:
        run(*arguments)
    assert not list(stored.glob("a*"))
    assert said in str(caught.value)
    assert caught.value.exit_code == 2


def entries(*arguments: str) -> dict[str, dict[str, Any]]:
    return {
        item["title"].removeprefix("Title of "): item
        for item in json.loads(run("--format", "json", *arguments))["items"]
    }


def test_an_entry_keeps_its_id_when_stories_are_joined_split_revised_and_moved(stored: Path) -> None:
    before = entries()
    story, alone = before["mfa:1:ru"]["id"], before["qazmonitor:3:en"]["id"]
    later = NOON + timedelta(days=2)
    with open_test_store(f"sqlite:///{stored / 'crawler.db'}") as store:
        again = make_matched_article("qazmonitor:4:en", OTHER + " More of it.", "ICRC", "ihl", 3)
        store.articles.save(again, content_hash="4", run_id=None, seen_at=later)
        store.clusters.assign_pending(ZoneInfo("Asia/Almaty"))
        one, other = (store.stories.get_id_by_article(name) for name in ("mfa:1:ru", "qazmonitor:3:en"))
        assert one and other
        assert entries()["qazmonitor:3:en"]["id"] == alone  # a second article joined it
        store.stories.merge(other, one, later)
    joined = entries()
    assert [(name, item["id"]) for name, item in joined.items()] == [("mfa:1:ru", story)]
    with open_test_store(f"sqlite:///{stored / 'crawler.db'}") as store:
        number = store.stories.get_id_by_article("mfa:1:ru")
        assert number is not None
        store.stories.undo(number, later)
        body = PRESIDENT + " Дополнено: и о погоде тоже."
        revised = make_matched_article(
            "mfa:1:ru",
            body,
            "Красного Креста",
            "red-cross-movement",
            0,
            version=2,
            verdict=Verdict.REVISED,
            fetched_at=later,
            title="Title of another",
            url="https://mfa.example/moved",
        )
        store.articles.save(revised, content_hash=body, run_id=None, seen_at=later)
        store.clusters.assign_pending(ZoneInfo("Asia/Almaty"))
    after = entries()
    assert (after["another"]["id"], after["qazmonitor:3:en"]["id"]) == (story, alone)
    assert after["another"]["date_modified"] == "2026-03-08T12:00:00+00:00"
    assert after["another"]["url"] == "https://mfa.example/moved"


def test_unpublished_article_is_marked(stored: Path) -> None:
    gone = make_matched_article(
        "qazmonitor:3:en", OTHER, "ICRC", "ihl", 2, version=2, verdict=Verdict.UNPUBLISHED, fetched_at=NOON
    )
    with open_test_store(f"sqlite:///{stored / 'crawler.db'}") as store:
        store.articles.save(gone, content_hash="gone", run_id=None, seen_at=NOON + timedelta(days=1))
    (item,) = json.loads(run("ihl", "--format", "json"))["items"]
    assert item["title"] == "Taken down: Title of qazmonitor:3:en"
    assert "The page is gone" in item["content_html"]


def test_failed_write_keeps_the_old_file(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("-o", "a.atom")
    old = (stored / "a.atom").read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("crawler.publish.atomic_write.os.fsync", full)
    with pytest.raises(UsageError, match=r"-o a\.atom cannot be written: No space left on device"):
        run("ihl", "-o", "a.atom")
    assert (stored / "a.atom").read_bytes() == old
    assert not list(stored.glob(".a.atom*"))


def test_weak_matches_are_included_on_request(stored: Path) -> None:
    weak = make_matched_article("mfa:9:ru", "Слабое слово МККК.", "МККК", "ihl", 9)
    weak = make_matched_article(
        "mfa:9:ru",
        weak.body,
        "МККК",
        "ihl",
        9,
        matches=tuple(Match(**{**match_values(weak), "strength": Strength.WEAK}) for _ in weak.matches),
    )
    with open_test_store(f"sqlite:///{stored / 'crawler.db'}") as store:
        store.articles.save(weak, content_hash="weak", run_id=None, seen_at=NOON)
    assert "mfa:9:ru" not in titles()
    assert titles("--strength", "weak")[0] == "mfa:9:ru"


def match_values(article: Article) -> dict[str, Any]:
    (found,) = article.matches
    return {name: getattr(found, name) for name in found.__slots__}
