"""`crawler rules test` and `crawler rules apply` over a small stored history."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.empty_stores import open_test_store
from support.shipped_rules import get_shipped_matcher

from crawler.cli.commands.rules import apply_rules, average_per_week, compare_rules
from crawler.cli.stop_signals import CommandStopped
from crawler.config import Config
from crawler.items import Article, Verdict
from crawler.keywords import load_rules
from crawler.service import rematch
from crawler.store import Store

NOW = datetime.now(UTC).replace(microsecond=0)
TEXTS = {
    "1": "The Red Cross opened an office in Astana.",
    "2": "A carpet exhibition was opened in Almaty.",
    "3": "Two ministers discussed trade in wool.",
}


@pytest.fixture(autouse=True)
def stored_articles(config: Config) -> None:
    """Three articles with their matches by the shipped rules, one of them three weeks old."""
    matcher = get_shipped_matcher()
    with open_test_store(config.database_url) as store:
        for number, body in TEXTS.items():
            article = Article(
                id=f"example:{number}:en",
                source="example",
                url=f"https://news.example/{number}",
                title=None,
                body=body,
                language="en",
                published_at=NOW - timedelta(days=21 if number == "3" else 1),
                verdict=Verdict.NEW,
                version=1,
                matches=matcher.find_matches({"body": body}, language="en"),
            )
            store.articles.save(article, content_hash=number, run_id=None, seen_at=NOW)


@pytest.fixture
def candidate(tmp_path: Path) -> Path:
    """A rule that finds the carpets and not the Red Cross."""
    path = tmp_path / "candidate.toml"
    path.write_text('[[rule]]\nname = "carpets"\nterms.en = ["carpet exhibition"]\n', encoding="utf-8")
    return path


def test_candidate_is_compared_with_todays_rules(config: Config, candidate: Path) -> None:
    said = compare_rules(config, candidate, "90d", 10)
    assert said.startswith("3 stored articles since")
    assert "carpets: 1 article, 1.0 a week" in said
    assert "against today's rules: 1 new, 0 lost" in said
    assert "A *carpet exhibition* was opened in Almaty." in said
    assert "The *Red Cross* opened an office in Astana." in said


def test_only_articles_since_the_given_time_are_read(config: Config, candidate: Path) -> None:
    assert compare_rules(config, candidate, "7d", 10).startswith("2 stored articles since")


def test_no_articles_to_test_on(config: Config, candidate: Path) -> None:
    assert "There is nothing to test on" in compare_rules(config, candidate, "1h", 10)


def test_weekly_average_counts_the_weeks_between() -> None:
    assert average_per_week({"2025-W52": 1, "2026-W02": 3, "undated": 9}) == 4 / 3
    assert average_per_week({"undated": 9}) == 0


def test_rematch_records_each_change_once(config: Config, candidate: Path) -> None:
    other = config.model_copy(update={"rules": candidate})
    assert "2 would change; 1 match strongly now that did not, 1 no longer do" in apply_rules(other, dry_run=True)
    assert "2 changed; 1 match strongly now that did not, 1 no longer do" in apply_rules(other, dry_run=False)
    with open_test_store(config.database_url) as store:
        assert [article.id for article in store.articles.iter_newest(matched=True)] == ["example:2:en"]
        (record,) = store.rematches.list_by_article("example:2:en")
        assert record.rules_digest == load_rules(candidate).digest
        assert [run.mode for run in store.runs.list_recent()] == []
    assert "0 changed" in apply_rules(other, dry_run=False)


def test_interrupted_rematch_is_continued(config: Config, candidate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = config.model_copy(update={"rules": candidate})
    rematch_version, seen = rematch._rematch_version, []

    def stop_at_second(store: Store, matcher: object, version: Article, *rest: object) -> None:
        seen.append(version.id)
        if len(seen) == 2:
            raise CommandStopped(130)
        rematch_version(store, matcher, version, *rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(rematch, "_rematch_version", stop_at_second)
        with pytest.raises(CommandStopped):
            apply_rules(other, dry_run=False)
    state = config.data_folder / rematch.STATE_NAME
    assert json.loads(state.read_text())["article_id"] == seen[0]
    assert "3 versions matched" in apply_rules(other, dry_run=True)
    said = apply_rules(other, dry_run=False)
    assert said.startswith("An interrupted command was continued. 3 versions matched by")
    assert "2 changed; 1 match strongly now that did not, 1 no longer do" in said
    assert not state.exists()
    state.write_text(json.dumps({"store": "another", "rules_digest": "x"}))
    assert "0 changed" in apply_rules(other, dry_run=False)


def test_check_warns_when_shipped_rules_are_not_in_force(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from types import SimpleNamespace

    from crawler.cli.commands import rules as command

    file = tmp_path / "mine.toml"
    for include, is_warned in (("", True), ('include = "shipped"\n', False)):
        file.write_text(f'{include}[[rule]]\nname = "ihl"\nterms.en = ["war law"]\n', encoding="utf-8")
        command.check(SimpleNamespace(obj=None), file)  # type: ignore[arg-type]
        warning = "the shipped rules red-cross-movement, geneva-conventions are not in force"
        assert (warning in capsys.readouterr().err) is is_warned
