"""`crawler reprocess`: the table, the matches, what is missing, JSON lines and exit codes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from support.releases import unpack_upgraded_release
from typer.testing import CliRunner, Result

from crawler.cli.app import app
from crawler.cli.commands.reprocess import MAX_EXAMPLE_LENGTH, format_change
from crawler.config import load_config
from crawler.errors import UnknownSource, UsageError
from crawler.spiders.qazmonitor import QazArticle
from crawler.store import open_store

LONG = "The council met in Astana and agreed on a plan for the coming year. "


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with an archive of three sources and the store of its runs, upgraded."""
    return unpack_upgraded_release("0004", tmp_path_factory.mktemp("release") / "data").parent


@pytest.fixture
def config(release: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(release, tmp_path / "data")) / "crawler.toml"


@pytest.fixture
def changed_page_class(monkeypatch: pytest.MonkeyPatch) -> None:
    """QazMonitor's page class reads another author, and the page of one article no more."""
    original = QazArticle.extract_fields

    def extract_fields(page: QazArticle) -> dict[str, Any]:
        if "1403" in page.snapshot.url:
            raise page.make_changed_error("lead", "p.summary", "nothing")
        return {**original(page), "author": "Press service"}

    monkeypatch.setattr(QazArticle, "extract_fields", extract_fields)


def run(config: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["--config", str(config), "reprocess", *words], catch_exceptions=False)


def test_nothing_differs(config: Path) -> None:
    found = run(config)
    assert (found.exit_code, found.stderr) == (0, "")
    assert found.stdout.splitlines() == [
        "ktkz: 2 pages read, 2 versions compared, nothing differs.",
        "mfa: 4 pages read, 8 versions compared, nothing differs.",
        "qazmonitor: 4 pages read, 4 versions compared, nothing differs.",
    ]


@pytest.mark.usefixtures("changed_page_class")
def test_fields_unreadable_pages_and_what_to_do_are_printed(config: Path) -> None:
    found = run(config, "qazmonitor")
    assert found.exit_code == 12
    assert found.stdout.splitlines()[:6] == [
        "qazmonitor: 4 pages read, 4 versions compared, 3 differ.",
        "  field   versions  example: before → after",
        "  author         3  qazmonitor:1404:en version 2: nothing → 'Press service'",
        "  Earlier versions among them: 1. They stay as they were stored.",
        "  1 version cannot be read on the archived page any more:",
        "    qazmonitor:1403:en version 1: https://qazmonitor.com/news/1403/report-3-a-trade-delegation-and-a-tea-factory"
        ": the field 'lead' was looked for with 'p.summary', found nothing. The page may have a new shape: keep it "
        "with `crawler snapshot` and mend its page class.",
    ]
    assert found.stdout.endswith("Use --write to store the differing current versions as reprocessed.\n")


@pytest.mark.usefixtures("changed_page_class")
def test_written_versions_are_shown_as_reprocessed(config: Path) -> None:
    assert (
        "2 versions stored as reprocessed. No subscriber is notified, also not of matches that come."
        in run(config, "qazmonitor", "--write").stdout
    )
    runner = CliRunner()
    for words, shown in (
        (("versions", "qazmonitor:1405:en"), "version 3  reprocessed  fetched"),
        (("versions", "qazmonitor:1405:en"), "    reprocessed: author\n"),
        (("diff", "qazmonitor:1405:en"), "reprocessed: author\n"),
        (("diff", "qazmonitor:1405:en"), "  {+Press service+}  (author)\n"),
        (("articles",), "qazmonitor:1404:en  reprocessed (unpublished) v3"),
    ):
        found = runner.invoke(app, ["--config", str(config), *words], catch_exceptions=False)
        assert shown in found.stdout, found.stdout
    again = run(config, "qazmonitor", "--write")
    assert "2 versions compared" not in again.stdout
    assert "3 versions compared, nothing differs" in again.stdout
    assert again.exit_code == 12  # one page still cannot be read


@pytest.mark.usefixtures("changed_page_class")
def test_json_has_a_line_for_each_version_and_each_source(config: Path) -> None:
    rules = config.parent / "rules.toml"
    rules.write_text('[[rule]]\nname = "power"\nterms.en = ["solar power plant"]\n', encoding="utf-8")
    lines = [json.loads(line) for line in run(config, "qazmonitor", "--json").stdout.splitlines()]
    assert [line["type"] for line in lines] == ["version"] * 3 + ["unreadable", "source"]
    (revised,) = [line for line in lines[:3] if (line["id"], line["version"]) == ("qazmonitor:1405:en", 2)]
    assert (revised["is_current"], revised["fields"]) == (True, {"author": {"before": None, "after": "Press service"}})
    assert {match["rule"] for match in revised["gained"]} == {"power"}
    assert {match["rule"] for match in revised["lost"]} >= {"red-cross-movement"}
    assert "solar power plant" in revised["gained"][0]["sentence"]
    total = lines[-1]
    assert (total["versions"], total["differing"], total["earlier"], total["unreadable"]) == (4, 3, 1, 1)
    assert (total["fields"], total["written"], total["locked"]) == ({"author": 3}, 0, None)


def test_matches_that_come_and_go_are_printed_with_their_sentence(config: Path) -> None:
    rules = config.parent / "rules.toml"
    rules.write_text('[[rule]]\nname = "reports"\nterms.en = ["Report 3"]\n', encoding="utf-8")
    found = run(config, "qazmonitor")
    assert (
        "  1 match comes:\n  + qazmonitor:1403:en version 1  reports, 'Report 3' (strong): "
        "Report 3: A trade delegation and a tea factory\n"
    ) in found.stdout
    assert "\n  - qazmonitor:1405:en version 2  ihl, 'international humanitarian law' (strong): " in found.stdout


def test_damage_and_locks_are_errors_and_other_sources_are_read(config: Path) -> None:
    (config.parent / "archive/ktkz/2026-03-02.warc.gz").unlink()
    with open_store(load_config(config).database_url) as store:
        store.leases.acquire("mfa", "a crawl")
        found = run(config)
    assert found.exit_code == 1
    assert "cannot be read: no such file or directory. (2 versions)" in found.stderr
    assert "Only one run per source is allowed at a time." in found.stderr
    assert found.stdout.splitlines()[1:] == [
        "mfa: not read.",
        "qazmonitor: 4 pages read, 4 versions compared, nothing differs.",
    ]
    with open_store(load_config(config).database_url) as store:
        store.leases.acquire("mfa", "a crawl")
        assert run(config, "mfa").exit_code == 15


def test_wrong_arguments_are_refused(config: Path) -> None:
    with pytest.raises(UnknownSource):
        run(config, "nothing")
    with pytest.raises(UsageError, match="is not before --until"):
        run(config, "--since", "2026-03-02", "--until", "2026-03-01")


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        (None, "A", "nothing → 'A'"),
        ("A\nB", None, "'A¶B' → nothing"),
        ([], ["cut_off"], "'[]' → '[\"cut_off\"]'"),
        (LONG, f"{LONG} More.", "'…or the coming year. ' → '…or the coming year.  More.'"),
        (f"{LONG}{LONG}", f"X{LONG}", f"'{LONG[: MAX_EXAMPLE_LENGTH - 1]}…' → 'X{LONG[: MAX_EXAMPLE_LENGTH - 2]}…'"),
    ],
)
def test_change_is_shortened_to_where_it_is(before: Any, after: Any, shown: str) -> None:
    assert format_change(before, after) == shown
