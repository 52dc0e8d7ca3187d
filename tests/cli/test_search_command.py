"""`crawler search`: what it prints, and what it writes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from support.empty_stores import open_test_store
from support.factories import make_article
from typer.testing import CliRunner

from crawler.cli.app import app
from crawler.errors import UnknownSource, UsageError
from crawler.items import Match, Verdict
from crawler.keywords import parse_rules

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
BODY = (
    "Делегация Международного Комитета Красного Креста посетила задержанных. Стороны обсудили работу. "
    "Встреча прошла в Астане. Следующая встреча будет осенью."
)


@pytest.fixture(autouse=True)
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A revised article, one in English with a match, and one whose page is gone."""
    monkeypatch.chdir(tmp_path)
    url = f"sqlite:///{tmp_path / 'crawler.db'}"
    monkeypatch.setenv("CRAWLER_DATABASE", url)
    match = Match(rule="ihl", term="ICRC", surface="ICRC", field="body", start=4, end=8, sentence="The ICRC visits.")
    later = NOON + timedelta(days=2)
    first = make_article("1", title="Визит", body=BODY, published_at=NOON, fetched_at=NOON)
    versions = [
        first,
        replace(first, body="Делегация была в Астане.", version=2, verdict=Verdict.REVISED, fetched_at=later),
        make_article(
            "2",
            language="en",
            title="A visit",
            body="The ICRC visits. " + "Nothing else of note happened. " * 30,
            published_at=NOON + timedelta(days=1),
            matches=(match,),
        ),
        make_article("3", body="Забытая встреча.", published_at=NOON - timedelta(days=1)),
    ]
    versions.append(replace(versions[-1], version=2, verdict=Verdict.UNPUBLISHED, fetched_at=later))
    with open_test_store(url) as store:
        for each in versions:
            store.articles.save(each, content_hash=each.body, run_id=None, seen_at=each.fetched_at or NOON)
    return tmp_path


def run(*arguments: str) -> Result:
    found = CliRunner().invoke(app, ["search", *arguments], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found


def list_ids(*arguments: str) -> list[str]:
    return [json.loads(line)["article"] for line in run(*arguments, "--json").stdout.splitlines()]


def test_hit_shows_marked_words_and_the_version_that_has_them() -> None:
    assert run('"Красный Крест"').stdout.splitlines() == [
        "2026-03-06 17:00  mfa         Визит",
        "    mfa:1:ru  version 1, not in version 2 of 2 (2026-03-08 17:00)  https://mfa.example/1?lang=ru",
        "    Делегация Международного Комитета *Красного Креста* посетила задержанных.",
        "1 article.",
    ]


def test_title_is_marked_and_the_opening_is_shown_without_a_place() -> None:
    lines = run("визит").stdout.splitlines()
    assert lines[0].endswith("*Визит*")
    assert lines[2] == "    Делегация была в Астане."
    assert "versions 1, 2 of 2" in lines[1]


def test_unpublished_page_is_named() -> None:
    assert "unpublished, versions 1, 2 of 2" in run("is:unpublished").stdout


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("встреча",), ["mfa:1:ru", "mfa:3:ru"]),
        (("встреча", "-осень"), ["mfa:3:ru"]),
        (("встреча -осень",), ["mfa:3:ru"]),
        (("--language", "en", ""), ["mfa:2:en"]),
        (("--rule", "ihl", "visits"), ["mfa:2:en"]),
        (("--source", "qazmonitor", "visits"), []),
        (("--since", "2026-03-07", "--until", "2026-03-08", ""), ["mfa:2:en"]),
        (("--language", "en", "--language", "ru", "визит OR visit"), ["mfa:2:en", "mfa:1:ru"]),
        (("is:superseded", "--limit", "1"), ["mfa:1:ru"]),
    ],
)
def test_filters(arguments: tuple[str, ...], expected: list[str]) -> None:
    assert list_ids(*arguments) == expected


def test_json_has_versions_and_marks() -> None:
    (line,) = run("задержанный", "--json").stdout.splitlines()
    hit: dict[str, Any] = json.loads(line)
    assert (hit["version"], hit["versions"], hit["current_version"], hit["left_at"]) == (
        1,
        [1],
        2,
        "2026-03-08T12:00:00+00:00",
    )
    (snippet,) = hit["snippets"]
    ((start, end),) = snippet["marks"]
    assert (snippet["field"], snippet["text"][start:end]) == ("body", "задержанных")


def test_interpreted_query_is_printed_when_it_differs() -> None:
    assert run('("Красный Крест').stderr == "crawler: searched as: (Красный Крест)\n"
    assert run('"Красный Крест"').stderr == ""
    assert run("&").stderr == "crawler: searched as: everything\n"


def test_names_that_do_not_exist_are_hinted_at() -> None:
    assert "there is no source 'mfaa', did you mean 'mfa'?" in run("source:mfaa x").stderr
    assert "there is no rule 'icl'" in run("rule:icl").stderr
    with pytest.raises(UnknownSource):
        run("x", "--source", "mfaa")
    with pytest.raises(UsageError, match="no option --limt"):
        run("x", "--limt=3")


def test_more_hits_than_shown_are_counted() -> None:
    assert run("встреча", "--limit", "1").stdout.endswith(
        "1 of 2 articles. --limit N shows more, -o FILE writes all.\n"
    )
    assert "at most" in run("ICRC", "--limit", "1").stdout
    relevant = run("встреча", "--sort", "relevance", "--limit", "1").stdout
    assert relevant.endswith("Sorted among the newest 10,000 versions.\n")


def test_file_has_all_hits_within_the_share_of_their_source(stored: Path) -> None:
    assert run("visits OR встреча", "--limit", "1", "-o", "hits.jsonl").stdout == (
        "hits.jsonl: 3 articles, of 3 stored articles.\n"
    )
    rows = [json.loads(line) for line in (stored / "hits.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in rows] == ["mfa:2:en", "mfa:1:ru", "mfa:3:ru"]
    texts = {"mfa:2:en": 17 + 30 * 31, "mfa:1:ru": len(BODY), "mfa:3:ru": 16}
    for row in rows:
        assert len(row["excerpt"] or "") <= 0.3 * texts[row["id"]] + 8  # the ellipses
    assert rows[0]["words"] == ["visit", "visits"]
    assert "The ICRC visits." in rows[0]["excerpt"]


def test_file_of_another_kind_is_refused() -> None:
    with pytest.raises(UsageError, match="the ending must be one of"):
        run("x", "-o", "hits.pdf")


def test_versions_that_wait_are_indexed_before_the_search(stored: Path) -> None:
    with open_test_store(f"sqlite:///{stored / 'crawler.db'}") as store:
        store.search.reset()
    assert list_ids("встреча") == ["mfa:1:ru", "mfa:3:ru"]


def test_index_is_rebuilt_by_command() -> None:
    found = CliRunner().invoke(app, ["store", "reindex"], catch_exceptions=False)
    assert found.stdout.startswith("5 versions indexed in ")
    assert list_ids("встреча") == ["mfa:1:ru", "mfa:3:ru"]


@pytest.fixture
def rules_file(stored: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A rules file with a comment, which is in force."""
    path = stored / "rules.toml"
    path.write_text('# Our topics.\ninclude = "shipped"\n', encoding="utf-8")
    path.write_text(path.read_text(encoding="utf-8") + '[[rule]]\nname = "own"\nquery = "carpet"\n', encoding="utf-8")
    monkeypatch.setenv("CRAWLER_RULES", str(path))
    return path


def test_query_becomes_a_rule(rules_file: Path) -> None:
    before = rules_file.read_text(encoding="utf-8")
    said = run('"Красный Крест" OR visits', "--save", "movement", "--source", "mfa").stdout
    assert said.startswith(f"{rules_file}: rule movement written. It finds 2 of the newest 2 hits.")
    written = rules_file.read_text(encoding="utf-8")
    assert written.startswith(before)
    rule = next(rule for rule in parse_rules(written).rules if rule.name == "movement")
    assert (rule.query, rule.sources) == ('"Красный Крест" OR visits', ("mfa",))


def test_rule_that_finds_less_than_the_search_says_so(rules_file: Path) -> None:
    assert "It finds 0 of the newest 1 hits" in run("следующий встреча", "--save", "later").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("is:revised visit", "--save", "x"), "is: can only be used in a search"),
        (("-visit", "--save", "x"), "only excludes terms"),
        (("visit", "--save", "own"), "has a rule 'own' already"),
        (("visit", "--save", "Not A Name"), "must be small letters"),
    ],
)
def test_query_that_cannot_be_a_rule_changes_nothing(
    rules_file: Path, arguments: tuple[str, ...], message: str
) -> None:
    before = rules_file.read_bytes()
    with pytest.raises(UsageError, match=message):
        run(*arguments)
    assert rules_file.read_bytes() == before


def test_rule_needs_a_rules_file() -> None:
    with pytest.raises(UsageError, match="no rules file"):
        run("visit", "--save", "x")
