"""Files and folders are private whatever the umask, and what others own or share stays as it is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from crawler.private_files import (
    close_file_to_others,
    close_folder_to_others,
    is_open_to_others,
    make_private_file,
    make_private_folder,
)


@pytest.fixture(params=[0o000, 0o022, 0o277])
def umask(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[int]:
    """An open, a usual and an absurd umask."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def get_mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_new_folders_are_0700_whatever_the_umask(umask: int, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    make_private_folder(tmp_path / "a" / "b")
    assert [get_mode(tmp_path / "a"), get_mode(tmp_path / "a" / "b")] == [0o700, 0o700]
    assert get_mode(tmp_path) == 0o755, "an existing folder stays as it is"
    make_private_folder(tmp_path / "a" / "b")


def test_new_files_are_open_to_their_owner_alone(umask: int, tmp_path: Path) -> None:
    make_private_file(tmp_path / "a")
    assert get_mode(tmp_path / "a") == 0o600 & ~umask
    assert (tmp_path / "a").read_bytes() == b""


def test_folder_in_place_of_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="Not a directory"):
        make_private_folder(tmp_path / "file" / "a")
    with pytest.raises(OSError, match="Not a directory"):
        make_private_folder(tmp_path / "file")


@pytest.mark.parametrize(("before", "after"), [(0o644, 0o600), (0o640, 0o640), (0o600, 0o600), (0o666, 0o600)])
def test_existing_file_is_closed_to_others_but_not_to_a_group(tmp_path: Path, before: int, after: int) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"old")
    file.chmod(before)
    make_private_file(file)
    assert get_mode(file) == after
    assert file.read_bytes() == b"old"


def test_folder_in_place_of_a_file_stays_open(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o777)
    close_file_to_others(tmp_path / "shared")
    close_file_to_others(tmp_path / "missing")
    assert is_open_to_others(tmp_path / "shared")
    assert not is_open_to_others(tmp_path / "missing")


@pytest.mark.parametrize(
    ("names", "mode"), [((), 0o700), (("own.db", "own.db-wal"), 0o700), (("own.db", "letter.txt"), 0o755)]
)
def test_folder_is_closed_if_it_has_only_own_files(tmp_path: Path, names: tuple[str, ...], mode: int) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(0o755)
    for name in names:
        (folder / name).touch()
    close_folder_to_others(folder, {"own"})
    assert get_mode(folder) == mode
