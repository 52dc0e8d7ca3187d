"""A file is complete, or stays as it was."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crawler.errors import UsageError
from crawler.publish.atomic_write import PUBLIC_FILE_MODE, open_atomic, resolve_output_path, write_atomic


def write_file(path: Path, data: bytes = b"new") -> None:
    with open_atomic(path) as file:
        file.write(data)


@pytest.mark.parametrize(("options", "mode"), [({}, 0o600), ({"new_file_mode": PUBLIC_FILE_MODE}, 0o644)])
def test_file_is_written_and_private_or_public(tmp_path: Path, options: dict[str, int], mode: int) -> None:
    with open_atomic(tmp_path / "a.atom", **options) as file:
        file.write(b"new")
    assert (tmp_path / "a.atom").read_bytes() == b"new"
    assert (tmp_path / "a.atom").stat().st_mode & 0o777 == mode
    assert [path.name for path in tmp_path.iterdir()] == ["a.atom"]


def test_permissions_of_an_existing_file_stay(tmp_path: Path) -> None:
    (tmp_path / "a.atom").touch()
    (tmp_path / "a.atom").chmod(0o640)
    write_file(tmp_path / "a.atom")
    assert (tmp_path / "a.atom").stat().st_mode & 0o777 == 0o640


def test_the_file_appears_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a.atom"
    path.write_bytes(b"old")
    with open_atomic(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="half"), open_atomic(tmp_path / "a.atom") as file:
        file.write(b"ne")
        raise ValueError("half")
    assert not list(tmp_path.iterdir())


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.atom").write_bytes(b"old")
    (tmp_path / "a.atom").symlink_to(tmp_path / "real" / "a.atom")
    write_file(tmp_path / "a.atom")
    assert (tmp_path / "a.atom").is_symlink()
    assert (tmp_path / "real" / "a.atom").read_bytes() == b"new"


def test_a_device_is_never_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path(os.devnull)):
        with pytest.raises(UsageError, match="is no file but a device or a pipe"):
            write_file(path)


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        write_file(tmp_path / "nowhere" / "a.atom")


def test_a_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder: name the file to write"):
        resolve_output_path(tmp_path)


def test_bytes_are_written_whole_or_the_error_names_the_option(tmp_path: Path) -> None:
    write_atomic(tmp_path / "a.json", b"{}", "--snapshots")
    assert (tmp_path / "a.json").read_bytes() == b"{}"
    with pytest.raises(UsageError, match=r"^--snapshots .*missing/a\.json: there is no folder"):
        write_atomic(tmp_path / "missing" / "a.json", b"{}", "--snapshots")
