"""The whole policy over a store and an archive: which files go, and what is said about what is gone."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.empty_stores import open_test_store
from support.factories import make_article, make_transaction
from typer.testing import CliRunner

from crawler.archive import removed_files
from crawler.archive.http_transaction import PriorRecord
from crawler.archive.inventory import find_damaged_files, list_archive
from crawler.archive.snapshot_reader import read_snapshot_at
from crawler.archive.warc_writer import WarcWriter
from crawler.cli.app import app
from crawler.config import Config, load_config
from crawler.errors import ArchiveError
from crawler.items import Match, SnapshotRef, Verdict
from crawler.service.retention import Pruner, list_files_before
from crawler.store import Decision, HttpCacheEntry, Notification, Store
from crawler.store.schema import unclustered

NOW = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
OLD = NOW - timedelta(days=500)
MATCH = Match(rule="ihl", term="law", surface="law", field="body", start=0, end=3, sentence="law", reason=None)
CONFIG = """\
data_dir = "{folder}"
[retention]
unmatched_texts = "365d"
superseded_versions = "365d"
archive = "100d"
http_cache = "365d"
runs = "365d"
audit_log = "365d"
"""


def archive_page(config: Config, at: datetime, body: bytes, prior: SnapshotRef | None = None) -> SnapshotRef:
    """Archive a page of mfa, or a revisit of a page that was archived before."""
    url = "https://mfa.example/page"
    earlier = (
        PriorRecord(url=url, date=OLD, digest=prior.digest, file=prior.file, offset=prior.offset) if prior else None
    )
    transaction = make_transaction(url, body, at, earlier)
    with WarcWriter(config.archive_dir, "mfa", software="test/1") as writer:
        return writer.write(transaction)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    path = tmp_path / "crawler.toml"
    path.write_text(CONFIG.format(folder=tmp_path / "data"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return load_config(path)


@pytest.fixture
def store(config: Config) -> Iterator[Store]:
    with open_test_store(config.database_url) as opened:
        yield opened


@pytest.fixture
def refs(config: Config, store: Store) -> dict[str, SnapshotRef]:
    """Three old pages and a young revisit, each in a file of its own. A subscriber was notified of the revisit's."""
    body = b"<p>law</p>"
    refs = {
        "original": archive_page(config, OLD, body),
        "unmatched": archive_page(config, OLD + timedelta(days=1), b"<p>nothing</p>"),
        "matched": archive_page(config, OLD + timedelta(days=2), b"<p>law 2</p>"),
    }
    refs["notified"] = archive_page(config, NOW - timedelta(days=5), body, refs["original"])
    for number, name in enumerate(("unmatched", "matched", "notified")):
        matches = () if name == "unmatched" else (MATCH,)
        values = {"matches": matches, "title": name, "published_at": OLD, "fetched_at": OLD, "snapshot": refs[name]}
        article = make_article(str(number), body="law text", **values)
        store.articles.save(article, content_hash=name, run_id=None, seen_at=OLD)
    later = make_article("1", body="law later", matches=(MATCH,), title="matched", version=2, verdict=Verdict.REVISED)
    store.articles.save(later, content_hash="later", run_id=None, seen_at=OLD + timedelta(days=3))
    with store.database.transaction() as connection:
        connection.execute(unclustered.delete())
    events = store.events.list_undecided(9)
    decisions = [
        Notification(
            subscription="press",
            event_id=event.id,
            article_id=event.article_id,
            decision=Decision.ALERT if event.article_id == "mfa:2:ru" else Decision.SKIP,
            reason=None,
            decided_at=OLD,
        )
        for event in events
    ]
    store.events.save_decisions([event.id for event in events], decisions, OLD)
    file = refs["matched"].file
    entry = HttpCacheEntry(source="mfa", url="https://mfa.example/x", checked_at=NOW, record_file=file, digest="d")
    store.http_cache.save(entry)
    return refs


def test_files_go_unless_a_kept_record_needs_them(config: Config, store: Store, refs: dict[str, SnapshotRef]) -> None:
    listed = list_archive(config.archive_dir)
    plan = Pruner(config, store, NOW).make_plan()
    assert list(plan.files) == [refs["unmatched"].file, refs["matched"].file]
    assert (plan.kept_files, plan.versions) == (1, 2)
    assert all((config.archive_dir / name).exists() for name in plan.files)
    Pruner(config, store, NOW).remove(plan)
    left = sorted(path.name for path in (config.archive_dir / "mfa").iterdir())
    assert left == [
        "2024-10-22.warc.gz",
        "2026-03-01.warc.gz",
    ]
    assert read_snapshot_at(config.archive_dir, refs["notified"]).body == b"<p>law</p>"
    with pytest.raises(ArchiveError, match=r"2024-10-24\.warc\.gz was removed by the retention policy on 2026-03-06\."):
        read_snapshot_at(config.archive_dir, refs["matched"])
    assert list(find_damaged_files(config.archive_dir, listed)) == []
    entry = store.http_cache.get("mfa", "https://mfa.example/x")
    assert entry is not None
    assert entry.record_file is None
    assert Pruner(config, store, NOW).make_plan().is_empty


def test_original_of_a_kept_record_behind_damage_stays(
    config: Config, store: Store, refs: dict[str, SnapshotRef]
) -> None:
    damaged = config.archive_dir / str(refs["notified"].file)
    content = bytearray(damaged.read_bytes())
    content[20:60] = bytes(40)
    damaged.write_bytes(content)
    assert read_snapshot_at(config.archive_dir, refs["notified"]).body == b"<p>law</p>"
    Pruner(config, store, NOW).remove(Pruner(config, store, NOW).make_plan())
    assert read_snapshot_at(config.archive_dir, refs["notified"]).body == b"<p>law</p>"


def test_file_of_a_day_that_does_not_exist_goes_by_its_name(
    config: Config, store: Store, refs: dict[str, SnapshotRef]
) -> None:
    odd = config.archive_dir / "mfa" / "2025-02-30.warc.gz"
    odd.write_bytes(b"")
    assert "mfa/2025-02-30.warc.gz" in Pruner(config, store, NOW).make_plan().files


def test_removal_of_a_file_is_listed_before_it_happens(
    config: Config, store: Store, refs: dict[str, SnapshotRef], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, **_: object) -> None:
        raise PermissionError(13, "Permission denied")

    plan = Pruner(config, store, NOW).make_plan()
    with monkeypatch.context() as patch:
        patch.setattr(removed_files.Path, "unlink", fail)
        with pytest.raises(ArchiveError, match=r"2024-10-23\.warc\.gz cannot be removed: Permission denied"):
            Pruner(config, store, NOW).remove(plan)
    # A killed process may also leave a part of a line.
    with (config.archive_dir / removed_files.LIST_NAME).open("a", encoding="utf-8") as file:
        file.write('{"name": "mfa/20')
    assert list(removed_files.list_removed_files(config.archive_dir)) == [refs["unmatched"].file]
    Pruner(config, store, NOW).remove(Pruner(config, store, NOW).make_plan())
    assert list(removed_files.list_removed_files(config.archive_dir)) == [refs["unmatched"].file, refs["matched"].file]
    assert list(list_files_before(config.archive_dir, NOW - timedelta(days=100))) == [refs["original"].file]


def test_commands_say_what_the_policy_removed(
    config: Config, store: Store, refs: dict[str, SnapshotRef], tmp_path: Path
) -> None:
    Pruner(config, store, NOW).remove(Pruner(config, store, NOW).make_plan())
    store.close()

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["--config", str(tmp_path / "crawler.toml"), *words])
        return done.exit_code, done.output + str(done.exception or "")

    sentence = "The text was removed by the retention policy on 2026-03-06."
    assert sentence in run("show", "mfa:0:ru")[1]
    assert run("versions", "mfa:1:ru")[1].count(sentence) == 1
    code, output = run("diff", "mfa:1:ru")
    assert code == 1
    assert output.endswith(f"Version 1 of mfa:1:ru cannot be compared. {sentence}")
    code, output = run("evidence", "mfa:1:ru", "-o", str(tmp_path / "kept.zip"))
    assert code == 1
    assert "version 1 has no record" in output
    with zipfile.ZipFile(tmp_path / "kept.zip") as package:
        assert sentence in package.read("versions/1.txt").decode()
        assert f"NO TEXT: {sentence}" in package.read("README.txt").decode()
        assert "removed by the retention policy on 2026-03-06" in package.read("provenance.json").decode()
    assert run("export", "--all", "-o", str(tmp_path / "all.csv"))[0] == 0
    assert run("rules", "apply")[0] == 0
    assert "removed" not in run("reprocess", "mfa")[1]


def test_command_prints_what_goes_and_removes_it(
    config: Config, store: Store, refs: dict[str, SnapshotRef], tmp_path: Path
) -> None:
    store.close()

    def run(*words: str) -> list[str]:
        done = CliRunner().invoke(app, ["--config", str(tmp_path / "crawler.toml"), "store", "prune", *words])
        assert done.exit_code == 0, done.exception
        return done.output.splitlines()

    shown = run("--dry-run")
    assert shown[0] == "Would be removed: the texts of 2 versions, 2 archive files."
    assert shown[1].startswith("    mfa: 2 texts, 0.0 MB")
    assert shown[2:4] == [f"    {refs[name].file}, 0.0 MB" for name in ("unmatched", "matched")]
    assert shown[4] == "Of the old files, 2 archive files with records that are kept remain."
    assert run("--dry-run") == shown
    done = run()
    assert done[0] == "Removed: the texts of 2 versions, 2 archive files."
    assert run("--vacuum")[0] == "Nothing is older than [retention] allows."
    with open_test_store(config.database_url) as opened:
        (entry,) = opened.audit.list_newest(5)
        assert (entry.action, entry.about) == ("store.prune", "the texts of 2 versions, 2 archive files")


def test_default_keeps_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRAWLER_DATA_DIR", str(tmp_path))
    done = CliRunner().invoke(app, ["store", "prune"])
    assert done.output == "Nothing is removed: [retention] in the configuration has no age.\n"
