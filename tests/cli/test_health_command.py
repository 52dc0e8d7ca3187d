"""`crawler health`: healthy, broken or unwatched, each in one sentence."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from support.article_publisher import ArticlePublisher
from support.factories import make_article, make_config
from support.sandbox import Sandbox

from crawler.items import ArticleFlag, Health, Run
from crawler.notify.alarms import record_delay
from crawler.notify.delays import measure_delay
from crawler.notify.routing import route_events
from crawler.store import Alarm, DeliveryState


def test_the_open_alarm_is_shown(tmp_path: Path) -> None:
    place, noon = Sandbox(tmp_path), datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
    with place.open_store() as store:
        store.alarms.save(
            Alarm(
                source="mfa",
                kind="blocked",
                severity="11",
                last_health="blocked",
                message="No.",
                opened_at=noon,
                last_seen_at=noon,
                run_count=3,
                pending_notice="opened",
            )
        )
        (alarm,) = store.alarms.list_pending()
        times = {"created_at": noon, "due_at": noon}
        number = store.messages.add(key="k", subscription="operator", kind="alarm", channels=["desk"], **times)
        store.alarms.save_announcement(alarm, number, noon)
        ((_, delivery),) = store.deliveries.list_newest()
        store.deliveries.save_result(delivery, replace(delivery, tries=1, failure="the receiver answered 500"))
    since = "2026-03-06T17:00:00+05:00"
    wanted = "    alarm: blocked since 2026-03-06 17:00 (3 runs); the receiver answered 500"
    told, plain = place.run_many(("health", "mfa"), ("health", "mfa", "--json"))
    assert wanted in told.out.splitlines()
    (line,) = plain.lines
    assert line["alarm"] == {
        "kind": "blocked",
        "since": since,
        "runs": 3,
        "told": None,
        "failure": "the receiver answered 500",
    }


def test_the_delay_of_messages_is_shown(tmp_path: Path) -> None:
    place, now = Sandbox(tmp_path), datetime.now(UTC)
    with place.open_store() as store:
        publisher = ArticlePublisher(store)
        publisher.clock = now
        publisher.publish("1", published_at=now - timedelta(minutes=90))
        settings = make_config(unit="article")
        store.subscriptions.get_or_start(["press"], now - timedelta(days=1))
        publisher.cluster_articles()
        route_events(store, settings, now)
        ((_, delivery),) = store.deliveries.list_newest()
        store.deliveries.save_result(delivery, replace(delivery, state=DeliveryState.SENT, sent_at=now))
        record_delay(store, "mfa", measure_delay(store, "mfa", now), timedelta(hours=1), now)
    plain, as_json = place.run_many(("health", "mfa"), ("health", "mfa", "--json"))
    wanted = "median 90 min, p95 90 min (1 message in 30 days), above the limit of 60 min"
    assert f"    from publication to message: {wanted}" in plain.out.splitlines()
    delay = as_json.lines[0]["delay"]
    since = delay.pop("late_since")
    assert datetime.fromisoformat(since) == now.replace(microsecond=0)
    assert delay == {"median_minutes": 90.0, "p95_minutes": 90.0, "messages": 1, "limit_minutes": 60.0}


def test_a_source_that_never_ran_is_unwatched(tmp_path: Path) -> None:
    done = Sandbox(tmp_path).run_crawler("health", "mfa")
    assert done.code == 13
    assert done.out.splitlines()[0] == "mfa: unwatched. It never ran: start `crawler watch`, or run `crawler crawl`."


def test_states_and_exit_code_of_the_worst(tmp_path: Path) -> None:
    place, now = Sandbox(tmp_path), datetime.now(UTC)
    with place.open_store() as store:
        for source, health, code, age in (
            ("mfa", Health.HEALTHY, 0, timedelta(minutes=1)),
            ("qazmonitor", Health.DEGRADED, 14, timedelta(minutes=1)),
            ("ktkz", Health.HEALTHY, 0, timedelta(days=1)),
        ):
            run = store.runs.record_start(Run(source=source, started_at=now - age))
            store.runs.record_end(
                Run(
                    id=run.id,
                    source=source,
                    started_at=run.started_at,
                    finished_at=now - age,
                    health=health,
                    reason=f"{health} it was.",
                    exit_code=code,
                    measures={"unaccounted": ["https://qazmonitor.com/news/1/x"]} if code else {},
                )
            )
    healthy, degraded, everything = place.run_many(
        ("health", "mfa", "--json"), ("health", "qazmonitor"), ("health", "--json")
    )
    assert healthy.code == 0
    (line,) = healthy.lines
    assert (line["verdict"], line["sentence"], line["exit_code"], line["silence"]) == (
        "healthy",
        "healthy it was.",
        0,
        None,
    )
    assert line["last_run"] == line["last_healthy"] is not None
    assert degraded.code == 14
    assert "qazmonitor: degraded. degraded it was." in degraded.out
    assert "    listed but not read: https://qazmonitor.com/news/1/x" in degraded.out
    assert everything.code == 13
    assert {line["source"]: line["verdict"] for line in everything.lines} == {
        "mfa": "healthy",
        "qazmonitor": "degraded",
        "ktkz": "unwatched",
    }
    assert "is `crawler watch` running?" in next(
        line["sentence"] for line in everything.lines if line["source"] == "ktkz"
    )


def test_doubts_of_the_last_run_are_in_words(tmp_path: Path) -> None:
    place, now = Sandbox(tmp_path), datetime.now(UTC)
    counts = {
        "articles/new": 3,
        "flags/boilerplate_removed": 3,
        "flags/future_date": 2,
        "flags/cut_off": 1,
        "damaged": 1,
    }
    with place.open_store() as store:
        run = store.runs.record_start(Run(source="ktkz", started_at=now))
        ended = replace(run, finished_at=now, health=Health.DEGRADED, exit_code=14, reason="3 new.", counts=counts)
        store.runs.record_end(ended)
    told, plain = place.run_many(("health", "ktkz"), ("health", "ktkz", "--json"))
    assert "    doubtful: 2 articles: the site's date lies in the future" in told.out.splitlines()
    assert (
        "    doubtful: 1 article: the answer broke off, so a part of the text may be missing" in told.out.splitlines()
    )
    assert "boilerplate" not in told.out
    (line,) = plain.lines
    assert line["flags"] == {"boilerplate_removed": 3, "cut_off": 1, "future_date": 2}


def test_doubts_are_in_the_list_of_articles_and_in_evidence(tmp_path: Path) -> None:
    place, noon = Sandbox(tmp_path), datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
    flags = (ArticleFlag.UNDECODABLE_CHARACTERS, ArticleFlag.IMPOSSIBLE_DATE)
    article = make_article("1", flags=flags, title="Мост")
    with place.open_store() as store:
        store.articles.save(article, content_hash="x", run_id=None, seen_at=noon)
    zipped = tmp_path / "evidence.zip"
    listed, _ = place.run_many(("articles",), ("evidence", "mfa:1:ru", "-o", zipped))
    doubts = ["some characters could not be decoded", "the site's date cannot be right"]
    assert [line for line in listed.out.splitlines() if "doubtful" in line] == [
        f"    doubtful: {each}" for each in doubts
    ]
    with zipfile.ZipFile(zipped) as archive:
        assert f"  doubtful: {'; '.join(doubts)}" in archive.read("README.txt").decode()
        (version,) = json.loads(archive.read("provenance.json"))["versions"]
    assert version["flags"] == [flag.value for flag in flags]


def test_articles_that_wait_to_be_grouped_are_counted(tmp_path: Path) -> None:
    place, noon = Sandbox(tmp_path), datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
    with place.open_store() as store:
        for number in range(2):
            store.articles.save(make_article(str(number)), content_hash=str(number), run_id=None, seen_at=noon)
    told, plain, other = place.run_many(("health", "mfa"), ("health", "mfa", "--json"), ("health", "ktkz", "--json"))
    assert "    2 articles wait to be grouped into stories" in told.out.splitlines()
    assert [plain.lines[0]["unclustered"], other.lines[0]["unclustered"]] == [2, 0]
