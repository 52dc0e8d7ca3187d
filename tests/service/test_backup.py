"""Backups: what is in the file, and what a restore checks before it changes anything."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.empty_stores import open_test_store
from support.factories import make_article

from crawler.archive.inventory import FileDamage
from crawler.config import Config, load_config
from crawler.config.secret_removal import REMOVED_ADDRESS
from crawler.errors import UsageError
from crawler.items import Run
from crawler.service.backup import Backup, find_archive_damage, restore_backup, write_backup

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
CONFIG = """\
data_dir = "{folder}"
rules = "own/rules.toml"
templates = "own/templates"
[channels]
desk = "json://user:s3cret@127.0.0.1"
[subscriptions.press]
channels = ["desk"]
"""


def make_owner(folder: Path) -> Config:
    """Return the configuration of an owner with rules, a template, a store of one article and an archive."""
    (folder / "own/templates").mkdir(parents=True)
    (folder / "own/rules.toml").write_text('include = "shipped"\n', encoding="utf-8")
    (folder / "own/templates/alert.txt").write_text("{{ entry.headline }}", encoding="utf-8")
    (folder / "crawler.toml").write_text(CONFIG.format(folder=folder / "data"), encoding="utf-8")
    config = load_config(folder / "crawler.toml")
    with open_test_store(config.database_url) as store:
        store.runs.record_start(Run(source="mfa", started_at=NOON))
        store.articles.save(make_article(), content_hash="h", run_id=1, seen_at=NOON)
    (config.archive_dir / "mfa").mkdir(parents=True)
    (config.archive_dir / "mfa" / "2026-03-06.warc.gz").write_bytes(b"records")
    return config


@pytest.fixture
def owner(tmp_path: Path) -> Config:
    return make_owner(tmp_path / "owner")


@pytest.fixture
def file(owner: Config, tmp_path: Path) -> Path:
    """A backup of the owner's data."""
    write_backup(owner, tmp_path / "backup.zip", NOON)
    return tmp_path / "backup.zip"


@pytest.fixture
def other(tmp_path: Path) -> Config:
    """The configuration of another machine, without a store."""
    return Config(data_dir=tmp_path / "other")


@pytest.fixture
def change_manifest(file: Path) -> Callable[[dict[str, Any]], None]:
    """A function that changes values of the backup's manifest."""

    def change(values: dict[str, Any]) -> None:
        with zipfile.ZipFile(file) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        members["backup.json"] = json.dumps(json.loads(members["backup.json"]) | values).encode()
        with zipfile.ZipFile(file, "w") as archive:
            for name, data in members.items():
                archive.writestr(name, data)

    return change


def restore(config: Config, file: Path, *, overwrite: bool = False, folder: Path | None = None) -> Backup:
    return restore_backup(config, file, overwrite=overwrite, folder=folder, now=NOON).backup


def count_articles(config: Config) -> int:
    with open_test_store(config.database_url) as store:
        return store.articles.count()


def test_backup_is_one_private_file_without_secrets(file: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    assert sorted(members) == ["backup.json", "crawler.db", "crawler.toml", "rules.toml", "templates/alert.txt"]
    assert not [name for name, data in members.items() if b"s3cret" in data]
    assert [path.name for path in file.parent.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("name", ["data/crawler.db", "crawler.toml"])
def test_file_that_is_no_backup_is_not_overwritten(owner: Config, tmp_path: Path, name: str) -> None:
    path = tmp_path / "owner" / name
    before = path.read_bytes()
    with pytest.raises(UsageError, match="is no backup and is not overwritten"):
        write_backup(owner, path, NOON)
    assert path.read_bytes() == before


def test_older_backup_is_overwritten(owner: Config, file: Path) -> None:
    assert write_backup(owner, file, NOON).created_at == NOON


def test_manifest_lists_archive_secrets_and_rows(
    owner: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRAWLER_CONTACT", "press@example.org")
    backup = write_backup(owner, tmp_path / "backup.zip", NOON)
    assert [(each.name, each.size) for each in backup.archive] == [("mfa/2026-03-06.warc.gz", 7)]
    assert (backup.removed, backup.variables) == (("channels.desk",), ("CRAWLER_CONTACT",))
    assert backup.counts == {"articles": 1, "versions": 1, "runs": 1}


def test_restored_store_and_files_are_those_of_the_backup(file: Path, other: Config, tmp_path: Path) -> None:
    backup = restore(other, file, folder=tmp_path / "etc")
    assert backup.created_at == NOON
    with open_test_store(other.database_url) as store:
        assert store.articles.get("mfa:1:ru") == make_article()
    config = load_config(tmp_path / "etc/crawler.toml")
    assert config.channels["desk"].get_secret_value() == REMOVED_ADDRESS
    assert config.rules == tmp_path / "etc/rules.toml"
    assert config.rules.read_text(encoding="utf-8") == 'include = "shipped"\n'
    assert config.templates == tmp_path / "etc/templates"
    assert (config.templates / "alert.txt").read_text(encoding="utf-8") == "{{ entry.headline }}"
    assert (tmp_path / "etc/crawler.toml").stat().st_mode & 0o777 == 0o600


def test_sources_without_code_are_restored_with_their_sample_pages(
    owner: Config, other: Config, tmp_path: Path
) -> None:
    files = {
        "sources/herald.toml": 'platform = "telegram"\ntitle = "Herald"\nchannel = "herald"\n',
        "sources/herald.memory.json": "{}",
        "snapshots/herald/storm.html": "<h1>Storm</h1>",
    }
    strangers = {"snapshots/mfa/storm.html": "x", "sources/notes.md": "x", "snapshots/herald/.hidden.html": "x"}
    for name, text in (files | strangers).items():
        path = tmp_path / "owner" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    written = write_backup(owner, tmp_path / "backup.zip", NOON)
    assert written.describe_owner_files() == ["crawler.toml", "rules.toml", "templates/alert.txt", "1 source"]
    restore(other, tmp_path / "backup.zip", folder=tmp_path / "etc")
    assert {name: (tmp_path / "etc" / name).read_text(encoding="utf-8") for name in files} == files
    assert not [name for name in strangers if (tmp_path / "etc" / name).exists()]


def test_store_that_is_not_empty_is_replaced_only_when_told(file: Path, owner: Config) -> None:
    with open_test_store(owner.database_url) as store:
        store.articles.save(make_article("2"), content_hash="h2", run_id=1, seen_at=NOON)
    with pytest.raises(UsageError, match=r"has 2 articles and 1 run,.*--overwrite"):
        restore(owner, file)
    assert count_articles(owner) == 2
    former = restore_backup(owner, file, overwrite=True, folder=None, now=NOON).former
    assert count_articles(owner) == 1
    assert former is not None
    assert former.name == "crawler.before-restore-20260306T120000Z.db"
    with open_test_store(f"sqlite:///{former}") as store:
        assert store.articles.count() == 2


def test_two_restores_within_a_second_keep_both_former_stores(file: Path, owner: Config) -> None:
    kept = []
    for number in ("2", "3"):
        with open_test_store(owner.database_url) as store:
            store.articles.save(make_article(number), content_hash=f"h{number}", run_id=1, seen_at=NOON)
        former = restore_backup(owner, file, overwrite=True, folder=None, now=NOON).former
        assert former is not None
        kept.append(former)
    assert [each.name for each in kept] == [
        "crawler.before-restore-20260306T120000Z.db",
        "crawler.before-restore-20260306T120000Z-2.db",
    ]
    for former, number in zip(kept, ("2", "3"), strict=True):
        with open_test_store(f"sqlite:///{former}") as store:
            assert store.articles.get(make_article(number).id) is not None


def test_owner_files_are_not_overwritten(file: Path, other: Config, tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/rules.toml").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match=r"rules\.toml exists already"):
        restore(other, file, folder=tmp_path / "etc")
    assert [path.name for path in (tmp_path / "etc").iterdir()] == ["rules.toml"]
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("name", ["plain", "plain/etc", "/proc/etc"])
def test_folder_that_cannot_be_made_is_found_before_the_store_is_replaced(
    file: Path, other: Config, tmp_path: Path, name: str
) -> None:
    (tmp_path / "plain").write_text("a file", encoding="utf-8")
    with pytest.raises(UsageError, match=r"--files \S+ cannot be written: .*Nothing was changed"):
        restore(other, file, folder=tmp_path / name)
    assert not (other.data_folder / "crawler.db").exists()


@pytest.mark.parametrize("part", [0, 0.3, 0.6, 0.9])
def test_damaged_backup_changes_nothing(file: Path, other: Config, part: float) -> None:
    data = bytearray(file.read_bytes())
    for offset in range(int(len(data) * part), int(len(data) * part) + 40):
        data[offset] ^= 0xFF
    file.write_bytes(data)
    with pytest.raises(UsageError, match=r"backup\.zip"):
        restore(other, file)
    assert not (tmp := other.data_folder / "crawler.db").exists(), tmp


@pytest.mark.parametrize("name", ["crawler.db", "rules.toml", "backup.json"])
def test_backup_without_a_member_is_damaged(file: Path, other: Config, name: str) -> None:
    with zipfile.ZipFile(file) as archive:
        members = {each: archive.read(each) for each in archive.namelist() if each != name}
    with zipfile.ZipFile(file, "w") as archive:
        for each, data in members.items():
            archive.writestr(each, data)
    with pytest.raises(UsageError, match=rf"is damaged: it lacks {re.escape(name)}\."):
        restore(other, file)
    assert not (other.data_folder / "crawler.db").exists()


@pytest.mark.parametrize(("offset", "value"), [(8, 1), (10, 99)], ids=["encrypted", "unknown compression"])
def test_backup_with_an_unreadable_member_is_damaged(file: Path, other: Config, offset: int, value: int) -> None:
    data = bytearray(file.read_bytes())
    data[data.find(b"PK\x01\x02") + offset] = value
    file.write_bytes(data)
    with pytest.raises(UsageError, match="is no backup, or is damaged"):
        restore(other, file)


@pytest.mark.parametrize("length", [0, 100, -30])
def test_file_that_is_cut_off_is_no_backup(file: Path, other: Config, length: int) -> None:
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(UsageError, match=r"backup\.zip is no backup, or is damaged"):
        restore(other, file)


def test_other_digest_than_written_is_damage(
    change_manifest: Callable[[dict[str, Any]], None], file: Path, other: Config
) -> None:
    change_manifest({"digests": {"crawler.db": "0" * 64}})
    with pytest.raises(UsageError, match=r"crawler\.db has another digest"):
        restore(other, file)
    assert not (other.data_folder / "crawler.db").exists()


@pytest.mark.parametrize(
    "name",
    [
        "../evil.toml",
        "/etc/evil",
        "templates/../evil",
        "templates/a/b",
        "evil.py",
        "sources/../a.toml",
        "snapshots/a/b/c.html",
    ],
)
def test_names_that_lead_elsewhere_are_refused(
    change_manifest: Callable[[dict[str, Any]], None], file: Path, other: Config, tmp_path: Path, name: str
) -> None:
    change_manifest({"digests": {"crawler.db": "", name: ""}})
    with pytest.raises(UsageError, match="is no file of a backup"):
        restore(other, file, folder=tmp_path / "etc")


@pytest.mark.parametrize(
    "values",
    [
        {"archive": [{"name": "../2026-03-06.warc.gz", "size": 1, "sha256": ""}]},
        {"archive": [{"name": "mfa/../../passwd", "size": 1, "sha256": ""}]},
        {"archive": [{"name": "mfa/2026-03-06.warc.gz", "size": "1", "sha256": ""}]},
        {"archive": [{"name": 5, "size": 1, "sha256": ""}]},
        {"counts": []},
        {"counts": {"articles": "many"}},
        {"digests": ["crawler.db"]},
    ],
)
def test_list_with_other_values_is_damage(
    change_manifest: Callable[[dict[str, Any]], None], file: Path, other: Config, values: dict[str, Any]
) -> None:
    change_manifest(values)
    with pytest.raises(UsageError, match="is no backup, or is damaged"):
        restore(other, file)
    assert not (other.data_folder / "crawler.db").exists()


def test_backup_of_a_newer_program_is_refused(
    change_manifest: Callable[[dict[str, Any]], None], file: Path, other: Config
) -> None:
    change_manifest({"format": 99})
    with pytest.raises(UsageError, match="newer version of this program"):
        restore(other, file)


def test_missing_archive_files_are_named(file: Path, owner: Config, other: Config) -> None:
    backup = restore(other, file)
    assert [(each.name, how) for each, how in find_archive_damage(other, backup)] == [
        ("mfa/2026-03-06.warc.gz", FileDamage.MISSING)
    ]
    assert find_archive_damage(owner, backup) == []


def test_nothing_to_back_up_is_an_error(other: Config, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to back up"):
        write_backup(other, tmp_path / "backup.zip", NOON)
    assert not (tmp_path / "backup.zip").exists()
