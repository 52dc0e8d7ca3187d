"""`crawler crawl`, and the commands that read the store: sources, articles, schedule, snapshot, replay."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.gov_site import GovSite
from support.qazmonitor_site import QazMonitorSite
from support.sandbox import CommandResult, Sandbox

from crawler import spiders
from crawler.items import Article


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with GovSite(12) as gov, QazMonitorSite(12) as qaz:
        yield Sandbox(tmp_path_factory.mktemp("user"), {"mfa": gov, "qazmonitor": qaz})


@pytest.fixture(scope="module")
def dry(sandbox: Sandbox) -> CommandResult:
    """The first command of all: a dry run; nothing may be there after it."""
    done = sandbox.run_crawler("crawl", "mfa", "--dry-run")
    assert not list(sandbox.folder.rglob("*.db*"))
    assert not list(sandbox.folder.rglob("*.warc*"))
    return done


@pytest.fixture(scope="module")
def crawled(sandbox: Sandbox, dry: CommandResult) -> CommandResult:
    return sandbox.run_crawler("crawl", "mfa", "qazmonitor", "--json")


def test_dry_run_prints_all_and_stores_nothing(dry: CommandResult) -> None:
    assert dry.code == 0
    assert "mfa: healthy. 32 new, 0 revised." in dry.out
    assert "*Международного Комитета Красного Креста*" in dry.out


def test_json_lines_are_articles_problems_and_a_run_each(sandbox: Sandbox, crawled: CommandResult) -> None:
    kinds = [line["type"] for line in crawled.lines]
    assert kinds.count("run") == 2
    assert kinds[-2:] == ["run", "run"]
    stored = sandbox.get_articles()
    articles = [line for line in crawled.lines if line["type"] == "article"]
    assert {a["id"] for a in articles} == {key for key, a in stored.items() if a.matches}
    for line in articles:
        assert Article.from_dict(line) == stored[line["id"]]
    run = crawled.get_run("mfa")
    assert (run["exit_code"], run["health"], run["complete"], run["problems"]) == (0, "healthy", True, [])
    assert run["finished_at"] >= run["started_at"]


@pytest.mark.slow
def test_crawl_that_reads_nothing_keeps_the_old_file(tmp_path: Path) -> None:
    nowhere = {"CRAWLER_SOURCES__MFA__BASE_URL": "http://127.0.0.1:9", "CRAWLER_POLITENESS__RETRIES": "0"}
    user = Sandbox(tmp_path, {}, nowhere)
    user.work_dir.mkdir(parents=True)
    (user.work_dir / "kept.csv").write_text("keep", encoding="utf-8")
    done = user.run_crawler("crawl", "mfa", "-o", "kept.csv")
    assert done.code == 10
    assert "Nothing was read, so kept.csv was not written." in done.out
    assert {path.name for path in user.work_dir.iterdir()} == {"kept.csv"}
    assert (user.work_dir / "kept.csv").read_text(encoding="utf-8") == "keep"


def test_sources_prints_health_and_last_run(sandbox: Sandbox, crawled: CommandResult) -> None:
    lines, text = sandbox.run_many(("sources", "--json"), ("sources",))
    found = {line["name"]: line for line in lines.lines}
    assert sorted(found) == spiders.list_names()
    assert (found["mfa"]["last_health"], found["mfa"]["articles"]) == ("healthy", len(sandbox.get_articles("mfa")))
    assert found["mfa"]["last_run"].endswith("+05:00")
    assert (found["ktkz"]["last_run"], found["ktkz"]["last_healthy"]) == (None, None)
    assert found["qazmonitor"]["excerpt_share"] == 0.3
    assert "last healthy never" in text.out
    assert "30% and the link" in text.out


@pytest.mark.slow
def test_articles_filters_the_store(sandbox: Sandbox, crawled: CommandResult) -> None:
    stored = sandbox.get_articles()
    newest = max(stored.values(), key=lambda a: (a.published_at, a.id))
    with sandbox.open_store() as store:
        seen = {key: store.articles.get_first_seen_time(key) for key in stored}
    since = sorted(time for time in seen.values() if time)[-4]
    everything, matched, of_qaz, late, few, text, nothing = sandbox.run_many(
        ("articles", "--json"),
        ("articles", "--matched", "--json"),
        ("articles", "--source", "qazmonitor", "--json"),
        ("articles", "--since", since.isoformat(), "--json"),
        ("articles", "--limit", 3, "--json"),
        ("articles", "--matched"),
        ("articles", "--source", "ktkz"),
    )
    assert {line["id"]: Article.from_dict(line) for line in everything.lines} == stored
    times = [line["published_at"] for line in everything.lines]
    assert times == sorted(times, reverse=True)
    assert {line["id"] for line in matched.lines} == {key for key, a in stored.items() if a.is_matched}
    assert {line["id"] for line in of_qaz.lines} == {key for key in stored if key.startswith("qazmonitor:")}
    assert {line["id"] for line in late.lines} == {key for key, time in seen.items() if time and time >= since}
    assert few.lines[0]["id"] == newest.id
    assert len(few.lines) == 3
    assert f"{len(matched.lines)} of {len(stored)} stored articles" in text.out
    assert "matched: " in text.out
    assert (nothing.code, nothing.out.startswith("0 of ")) == (0, True)


def test_only_the_given_url_is_read(sandbox: Sandbox, crawled: CommandResult) -> None:
    qaz = sandbox.sites["qazmonitor"]
    article = qaz.articles[4]
    qaz.requests.clear()
    done = sandbox.run_crawler("crawl", "--url", qaz.make_path(article), "--dry-run", "--json")
    assert done.code == 0, done.err
    assert [line["source"] for line in done.lines if line["type"] == "run"] == ["qazmonitor"]
    assert [asked.path for asked in qaz.requests] == ["/robots.txt", qaz.path(article)]


@pytest.mark.slow
def test_wrong_arguments_are_refused_in_one_sentence(sandbox: Sandbox) -> None:
    commands = {
        ("crawl", "qazmonitr"): "did you mean 'qazmonitor'?",
        ("crawl", "--url", "https://example.org/a"): "belongs to no source",
        ("crawl", "--since", "yesterday"): "--since 'yesterday' is not a day, time or age",
        ("articles", "--source", "mfaa"): "did you mean 'mfa'?",
        ("articles", "--since", "31.01.2026"): "is not a day, time or age",
        ("articles", "--since", "0001-01-01"): "is not a day, time or age",
        ("articles", "--until", "9999-12-31T23:00-05:00"): "is not a day, time or age",
        ("articles", "--since", "0001-01-01T00:00+05:00"): "is not a day, time or age",
        ("replay", "mfaa", "--snapshots", "."): "did you mean 'mfa'?",
        ("replay", "--snapshots", "nowhere"): "nowhere",
        ("snapshot", "https://example.org/"): "belongs to no source",
        ("watch", "mfaa"): "did you mean 'mfa'?",
        ("--config", "nowhere.toml", "sources"): "The configuration file nowhere.toml does not exist",
        ("--config", "/", "sources"): "/ cannot be read: Is a directory",
    }
    for (words, sentence), done in zip(commands.items(), sandbox.run_many(*commands), strict=True):
        assert (done.code, done.out) == (2, ""), (words, done)
        assert sentence in done.err, words
        assert done.err.startswith("crawler: "), words
        assert done.err.count("\n") == 1, words


def test_without_a_contact_there_is_a_warning(sandbox: Sandbox, tmp_path: Path) -> None:
    user = Sandbox(tmp_path, sandbox.sites)
    variables = user.make_environment()
    config = user.work_dir / "crawler.toml"
    config.write_text("")
    done = user.run_crawler("crawl", "mfa", "--dry-run", CRAWLER_CONTACT="")
    assert done.code == 0
    assert done.err.startswith("crawler: no contact is set")
    assert done.err.count("\n") == 1
    assert "example.org" in variables["CRAWLER_CONTACT"]
    agents = {asked.headers["user-agent"] for asked in sandbox.sites["mfa"].requests}
    assert any("+editor@example.org" in agent for agent in agents)


@pytest.mark.slow
def test_stored_page_passes_its_replay_until_its_expectation_changes(sandbox: Sandbox) -> None:
    qaz = sandbox.sites["qazmonitor"]
    address = qaz.make_path(qaz.articles[0])
    done = sandbox.run_crawler("snapshot", address)
    assert done.code == 0, done.err
    folder = sandbox.work_dir / "snapshots" / "qazmonitor"
    page, meta, expected = sorted(folder.iterdir(), key=lambda path: (len(path.suffixes), path.name.count("meta") * -1))
    assert page.name.endswith(".html")
    assert json.loads(meta.read_text())["url"] == address
    assert json.loads(meta.read_text())["status"] == 200
    told = json.loads(expected.read_text())
    assert [article["id"] for article in told["articles"]] == [f"qazmonitor:{qaz.articles[0].id}:en"]
    again, passed = sandbox.run_many(("snapshot", address), ("replay",))
    assert again.code != 0
    assert "exists already" in again.err
    assert (passed.code, passed.err) == (0, "")
    assert "qazmonitor: 1 page," in passed.out
    told["articles"][0]["title"] = "Another"
    expected.write_text(json.dumps(told))
    failed, as_json, accepted, reasonless, healed = sandbox.run_many(
        ("replay",),
        ("replay", "--json"),
        ("replay", "--accept", "the title is right"),
        ("replay", "--accept", " "),
        ("replay",),
    )
    assert failed.code == 12
    assert "0.title\n    expected Another\n    found    Report 12" in failed.out
    assert [line["field"] for line in as_json.lines if not line["passed"]] == ["0.title"]
    assert accepted.code != 0
    assert "Review it" in accepted.err
    assert reasonless.code == 2
    assert healed.code == 0
    assert json.loads(expected.read_text())["accepted"] == "the title is right"


def test_schedule_lists_the_next_starts(sandbox: Sandbox, crawled: CommandResult) -> None:
    done = sandbox.run_crawler(
        "schedule", CRAWLER_SOURCES__QAZMONITOR__CRON="5 4 * * mon", CRAWLER_SOURCES__KTKZ__ENABLED="no"
    )
    assert (done.code, done.err) == (0, "")
    lines = {line.split()[0]: line for line in done.out.splitlines() if line[0] != " "}
    assert lines.keys() == set(spiders.list_names()) - {"ktkz"}
    assert "*/15 * * * *" in lines["mfa"]
    assert " 04:05" in lines["qazmonitor"]
