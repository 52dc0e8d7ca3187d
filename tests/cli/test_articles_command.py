"""`crawler articles`: the filters that other commands have too."""

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
from crawler.items import Match, Strength

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three articles, seen on three days: two with a match, of which one is weak."""
    url = f"sqlite:///{tmp_path / 'crawler.db'}"
    monkeypatch.setenv("CRAWLER_DATABASE", url)
    strengths = {"1": (Strength.STRONG,), "2": (Strength.WEAK,), "3": ()}
    with open_test_store(url) as store:
        for number, (native_id, found) in enumerate(strengths.items()):
            match = Match(rule="ihl", term="t", surface="t", field="body", start=0, end=1, sentence="t")
            article = make_article(
                native_id,
                source=("mfa", "qazmonitor", "mfa")[number],
                language=("ru", "en", "kk")[number],
                published_at=NOON,
                matches=tuple(replace(match, strength=strength) for strength in found),
            )
            seen = NOON + timedelta(days=number)
            store.articles.save(article, content_hash="h", run_id=None, seen_at=seen)


def list_ids(*arguments: str) -> set[str]:
    found = CliRunner().invoke(app, ["articles", "--json", *arguments], catch_exceptions=False)
    return {json.loads(line)["id"] for line in found.stdout.splitlines()}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), {"mfa:1:ru", "qazmonitor:2:en", "mfa:3:kk"}),
        (("--rule", "ihl"), {"mfa:1:ru"}),
        (("--matched",), {"mfa:1:ru"}),
        (("--language", "kk"), {"mfa:3:kk"}),
        (("--language", "kk", "--language", "en"), {"mfa:3:kk", "qazmonitor:2:en"}),
        (("--source", "mfa", "--source", "qazmonitor", "--language", "ru"), {"mfa:1:ru"}),
        (("--since", "2026-03-07T00:00+00:00"), {"qazmonitor:2:en", "mfa:3:kk"}),
        (("--until", "2026-03-07T00:00+00:00"), {"mfa:1:ru"}),
        (("--since", "2026-03-07T00:00+00:00", "--until", "2026-03-08T00:00+00:00"), {"qazmonitor:2:en"}),
    ],
)
def test_filters(arguments: tuple[str, ...], expected: set[str]) -> None:
    assert list_ids(*arguments) == expected


def test_limit_counts_what_is_shown() -> None:
    assert len(list_ids("--language", "ru", "--language", "kk", "--limit", "1")) == 1


def test_unknown_names_are_errors() -> None:
    for arguments in (("--rule", "icl"), ("--language", "de"), ("--source", "mfaa")):
        with pytest.raises(UsageError, match="Known"):
            list_ids(*arguments)
