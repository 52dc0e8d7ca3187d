"""The list of an archive's files: their order, and what differs from the list later."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawler.archive.inventory import FileDamage, find_damaged_files, list_archive, list_files_by_source
from crawler.archive.removed_files import LIST_NAME, list_removed_files, remove_file

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An archive of two sources. Only files of their names are WARC files."""
    for name in ("2026-03-02-10", "2026-03-02-2", "2026-03-02", "2026-02-28"):
        (tmp_path / "mfa").mkdir(exist_ok=True)
        (tmp_path / "mfa" / f"{name}.warc.gz").write_bytes(name.encode() * 10)
    (tmp_path / "ktkz").mkdir()
    (tmp_path / "ktkz" / "2026-03-01.warc").write_bytes(b"plain")
    (tmp_path / "ktkz" / "notes.txt").write_bytes(b"no WARC file")
    (tmp_path / "empty").mkdir()
    return tmp_path


def test_files_are_in_the_order_in_which_they_were_written(root: Path) -> None:
    for name in ("2026-03-02-104500007-00c0ffee", "2026-03-02-091500123-1f0c9a7e"):
        (root / "mfa" / f"{name}.warc.gz").write_bytes(b"of one writer")
    files = list_files_by_source(root)
    assert list(files) == ["ktkz", "mfa"]
    days = [path.name.removesuffix(".warc.gz") for path in files["mfa"]]
    shared = ["2026-02-28", "2026-03-02", "2026-03-02-2", "2026-03-02-10"]
    assert days == [*shared, "2026-03-02-091500123-1f0c9a7e", "2026-03-02-104500007-00c0ffee"]
    assert [each.name for each in list_archive(root)][:2] == ["ktkz/2026-03-01.warc", "mfa/2026-02-28.warc.gz"]


def test_damaged_lines_of_the_removed_files_are_skipped(root: Path) -> None:
    remove_file(root, "mfa/2026-02-28.warc.gz", NOON)
    with (root / LIST_NAME).open("ab") as file:
        file.write(b'\xff\xfe\0\n[1, 2]\n{"name": "mfa/\xd0')
    remove_file(root, "mfa/2026-03-02.warc.gz", NOON)
    assert list(list_removed_files(root)) == ["mfa/2026-02-28.warc.gz", "mfa/2026-03-02.warc.gz"]


def test_archive_that_does_not_exist_has_no_files(tmp_path: Path) -> None:
    assert list_archive(tmp_path / "nowhere") == []


def test_files_that_grew_are_as_they_were(root: Path) -> None:
    listed = list_archive(root)
    with (root / "mfa" / "2026-03-02.warc.gz").open("ab") as file:
        file.write(b"another record")
    assert list(find_damaged_files(root, listed)) == []


def test_damage_is_told_apart(root: Path) -> None:
    listed = list_archive(root)
    (root / "mfa" / "2026-02-28.warc.gz").unlink()
    (root / "mfa" / "2026-03-02.warc.gz").write_bytes(b"x" * 1000)
    (root / "ktkz" / "2026-03-01.warc").write_bytes(b"pla")
    found = [(each.name, how) for each, how in find_damaged_files(root, listed)]
    assert found == [
        ("ktkz/2026-03-01.warc", FileDamage.SHORTER),
        ("mfa/2026-02-28.warc.gz", FileDamage.MISSING),
        ("mfa/2026-03-02.warc.gz", FileDamage.DIFFERENT),
    ]
