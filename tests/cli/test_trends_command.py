"""`crawler trends`: matched articles by week or month."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest
from support.empty_stores import open_test_store
from support.factories import make_article
from typer.testing import CliRunner

from crawler.cli.app import app
from crawler.errors import UsageError
from crawler.items import Match, Strength, Verdict

WEEKS = ("--since", "2026-02-23", "--until", "2026-03-16")


def make_match(rule: str, strength: Strength = Strength.STRONG) -> Match:
    return Match(rule=rule, term="t", surface="t", field="body", start=0, end=1, sentence="t", strength=strength)


@pytest.fixture(autouse=True)
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Matched articles of three weeks, one of them at the first minute of a Monday in Almaty."""
    monkeypatch.chdir(tmp_path)
    url = f"sqlite:///{tmp_path / 'crawler.db'}"
    monkeypatch.setenv("CRAWLER_DATABASE", url)
    rows = (
        ("1", datetime(2026, 2, 24, tzinfo=UTC), "mfa", ("ihl",)),
        ("2", datetime(2026, 3, 8, 19, 0, tzinfo=UTC), "mfa", ("ihl", "red-cross-movement")),
        ("3", datetime(2026, 3, 8, 18, 59, tzinfo=UTC), "qazmonitor", ("ihl",)),
        ("4", datetime(2026, 3, 10, tzinfo=UTC), "mfa", ("red-cross-movement",)),
        ("5", datetime(2025, 3, 10, tzinfo=UTC), "mfa", ("ihl",)),
    )
    with open_test_store(url) as store:
        for native_id, at, source, rules in rows:
            matches = (*map(make_match, rules), make_match("ihl"), make_match("geneva-conventions", Strength.WEAK))
            matches = matches[:-2] if "ihl" not in rules else matches
            article = make_article(native_id, source=source, published_at=at, matches=matches)
            store.articles.save(article, content_hash="h", run_id=None, seen_at=at)
        gone = make_article("1", version=2, verdict=Verdict.REVISED, body="No match any more.", published_at=rows[0][1])
        store.articles.save(gone, content_hash="h2", run_id=None, seen_at=rows[0][1])


def trends(*arguments: str) -> list[str]:
    found = CliRunner().invoke(app, ["trends", *arguments], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.stdout.splitlines()


def test_weeks_without_an_article_are_there_and_bars_are_to_scale() -> None:
    assert trends(*WEEKS) == [
        "          red-cross-movement  ihl  articles",
        "2026-W09                   0    0         0",
        f"2026-W10                   0    1         1  {'█' * 20}",
        f"2026-W11                   2    1         2  {'█' * 40}",
    ]


def test_one_rule_has_one_column() -> None:
    assert trends("ihl", *WEEKS, "--csv") == ["period,ihl", "2026-W09,0", "2026-W10,1", "2026-W11,1"]


def test_months_and_sources() -> None:
    lines = trends("ihl", "--by", "month", "--since", "2025-03-01", "--until", "2026-04-01", "--csv")
    assert lines[1:3] == ["2025-03,1", "2025-04,0"]
    assert lines[-1] == "2026-03,2"
    assert len(lines) == 14
    assert trends("ihl", *WEEKS, "--source", "qazmonitor", "--csv")[2:] == ["2026-W10,1", "2026-W11,0"]


def test_period_that_is_not_over_is_marked() -> None:
    assert trends("ihl", "--since", "2026-03-09", "--until", "2026-03-12")[-1].endswith("█…")


def test_no_match_is_a_table_of_zeros() -> None:
    assert trends("ihl", "--since", "2w")[-1].split()[1] == "0"


def test_picture_has_a_bar_for_each_period(tmp_path: Path) -> None:
    assert trends("ihl", *WEEKS, "--svg", "trend.svg") == ["trend.svg: 3 weeks, 2 articles."]
    root = ElementTree.parse(tmp_path / "trend.svg").getroot()
    bars = root.findall("{http://www.w3.org/2000/svg}rect")
    assert [bar.attrib["height"] for bar in bars] == ["0.0", "160.0", "160.0"]
    assert not root.findall(".//{http://www.w3.org/2000/svg}script")


def test_wrong_names_and_times_are_errors() -> None:
    for arguments in (("icl",), ("ihl", "--since", "2026-03-01", "--until", "2026-02-01"), ("--since", "soon")):
        with pytest.raises(UsageError):
            trends(*arguments)
