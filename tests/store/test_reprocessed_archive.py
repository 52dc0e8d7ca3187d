"""An archive that is read again with its store in SQLite and in PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.releases import load_tables, read_tables, unpack_release

from crawler.config import Config, load_config
from crawler.items import Verdict
from crawler.service.reprocess import Reprocessor
from crawler.store import open_store

LOST_RULE = '[[rule]]\nname = "offices"\nterms.en = ["visa center"]\n'
MATCHED, REVISED = "mfa:1200185:en", "qazmonitor:1405:en"


@pytest.fixture
def config(url: str, tmp_path: Path) -> Config:
    """The archive and the store of a release, which has other rules now."""
    file = unpack_release("0004", tmp_path / "release")
    (file.parent / "rules.toml").write_text(LOST_RULE, encoding="utf-8")
    if url.startswith("postgresql"):
        load_tables(url, "0004", read_tables(f"sqlite:///{file.parent / 'crawler.db'}"))
        file.write_text(f'database = "{url}"\n{file.read_text(encoding="utf-8")}', encoding="utf-8")
    return load_config(file)


@pytest.mark.slow
def test_current_matches_become_those_of_todays_rules(config: Config) -> None:
    with open_store(config.database_url, backup=False) as store:
        for source in ("mfa", "qazmonitor"):
            report = Reprocessor(config, store, write=True).reprocess_source(source)
            assert (report.exit_code, report.written > 0, report.lost > 0) == (12, True, True)
        matched = {article.id for article in store.articles.iter_newest(matched=True)}
        assert REVISED in matched
        assert MATCHED not in matched
        versions = store.versions.list_by_article(MATCHED)
        assert [(each.verdict, each.is_matched) for each in versions] == [
            (Verdict.NEW, True),
            (Verdict.REPROCESSED, False),
        ]
        state = store.articles.get_state(MATCHED)
        assert state is not None
        assert (state.version, state.verdict) == (2, Verdict.NEW)
        events = [event.version for event in store.events.list_by_article(MATCHED)]
        assert events == [1]
        for source in ("mfa", "qazmonitor"):
            report = Reprocessor(config, store, write=True).reprocess_source(source)
            assert (report.exit_code, report.written) == (0, 0)
