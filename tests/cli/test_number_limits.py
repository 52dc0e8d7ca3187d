"""Numbers that no database holds: they are unknown, or exit code 2, and never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from crawler.cli.app import app
from crawler.errors import UsageError


@pytest.mark.parametrize("number", ["1" + "0" * 30, "9" * 5000])
def test_number_that_no_database_holds_is_unknown(tmp_path: Path, number: str) -> None:
    environment = {"CRAWLER_DATA_DIR": str(tmp_path)}
    found = CliRunner().invoke(app, ["story", number], env=environment)
    assert isinstance(found.exception, UsageError)
    assert "There is no story" in str(found.exception)
    assert CliRunner().invoke(app, ["articles", "--limit", number[:31]], env=environment).exit_code == 2
    for command in ("compare", "diff"):  # they take names of files too, and no file has such a name
        found = CliRunner().invoke(app, [command, number, number], env=environment)
        assert isinstance(found.exception, UsageError), found.exception
