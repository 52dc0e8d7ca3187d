"""What commands write is private whatever the umask, but feeds. A configuration that others may read gets a warning."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from support.qazmonitor_site import QazMonitorSite
from support.sandbox import Sandbox


@pytest.mark.slow
def test_everything_that_commands_write_is_private(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with QazMonitorSite() as site:
            place = Sandbox(tmp_path, {"qazmonitor": site})
            (init,) = place.run_many(("init",))
            crawl = place.run_crawler("crawl", "qazmonitor", "-o", "run.csv")
            others = place.run_many(
                ("export", "-o", "a.csv"),
                ("export", "-o", "a.jsonl"),
                ("digest", "--since", "2d", "-o", "review.md"),
                ("digest", "--since", "2d", "-o", "review.html"),
                ("evidence", next(iter(place.get_articles())), "-o", "proof.zip"),
                ("feed", "-o", "feed.atom"),
            )
            assert [done.code for done in (init, crawl, *others)] == [0] * 8, (crawl, others)
    finally:
        os.umask(before)
    files = [path for folder in (place.data_dir, place.work_dir) for path in folder.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} >= {".db", ".gz", ".toml", ".csv", ".jsonl", ".md", ".html", ".zip"}
    modes = {path.name: path.stat().st_mode & 0o777 for path in files}
    assert modes.pop("feed.atom") == 0o644, "a web server publishes it"
    assert {name: oct(mode) for name, mode in modes.items() if mode != 0o600} == {}
    folders = [place.data_dir, *(path for path in place.data_dir.rglob("*") if path.is_dir())]
    assert {path.name for path in folders} >= {"archive", "robots"}
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in folders} == dict.fromkeys(
        (path.name for path in folders), "0o700"
    )


@pytest.mark.slow
def test_a_configuration_that_others_may_read_gets_a_warning(tmp_path: Path) -> None:
    place = Sandbox(tmp_path)
    place.make_environment()
    file = place.work_dir / "crawler.toml"
    file.write_text('[channels]\ndesk = "json://127.0.0.1:1"\n', encoding="utf-8")
    file.chmod(0o644)
    plain, as_json, subscribe = place.run_many(
        ("config",), ("config", "--json"), ("subscribe", "press", "--channel", "desk")
    )
    warning = f"Every user of this machine can read {file}, which has addresses of channels or passwords."
    assert f"warning       {warning}" in plain.out
    assert len(json.loads(as_json.out)["warnings"]) == 1
    assert [done.err.count(f"can read {file}") for done in (plain, as_json, subscribe)] == [1, 1, 1]
    assert file.stat().st_mode & 0o777 == 0o644, "the service's own user may need to read it"
