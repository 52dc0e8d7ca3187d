"""Change several files in one step: all of them, or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.errors import UsageError
from crawler.service.edited_files import FORMER_SUFFIX, replace_files


def test_nothing_is_changed_where_a_former_file_cannot_be_kept(tmp_path: Path) -> None:
    first, second, new = tmp_path / "first.toml", tmp_path / "second.toml", tmp_path / "new.toml"
    first.write_text("a = 1", encoding="utf-8")
    second.write_text("b = 1", encoding="utf-8")
    second.with_name(second.name + FORMER_SUFFIX).mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        replace_files({new: "c = 2", first: "a = 2", second: "b = 2"})
    assert [path.read_text(encoding="utf-8") for path in (first, second)] == ["a = 1", "b = 1"]
    assert not new.exists()
