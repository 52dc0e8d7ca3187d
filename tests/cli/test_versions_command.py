"""`crawler versions`, `diff` and `evidence` over a store that real runs filled: a text, its edit, its end."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.gov_site import GovSite
from support.qazmonitor_site import QazMonitorSite
from support.watched_source import WatchedSource
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedSource]:
    """An article in three versions: as published, with a figure and its title changed, and unpublished."""
    with QazMonitorSite(count=3) as site:
        found = WatchedSource("qazmonitor", site, tmp_path_factory.mktemp("watched"))
        article = site.articles[0]
        text = article.texts["en"]
        site.edit_article(article.id, paragraphs=(*text.paragraphs, "They helped 12 people in Astana."))
        found.crawl()
        site.edit_article(
            article.id, title=text.title + " Again", paragraphs=(*text.paragraphs, "They helped 15 people in Astana.")
        )
        found.crawl()
        site.add_fault(site.path(article), "404")
        found.crawl()
        found.crawl()
        assert found.list_verdicts(article.id) == ["new", "revised", "unpublished"]
        yield found


@pytest.fixture(scope="module")
def native_id(watched: WatchedSource) -> str:
    return watched.site.articles[0].id


def test_versions_are_listed_with_their_records(watched: WatchedSource, native_id: str) -> None:
    done = watched.run_command("versions", native_id)
    assert done.code == 0, done.err
    assert re.findall(r"version (\d)  (\w+)", done.out) == [("1", "new"), ("2", "revised"), ("3", "unpublished")]
    assert len(re.findall(r"qazmonitor/\d{4}-\d\d-\d\d\.warc\.gz at byte \d+", done.out)) == 3
    assert re.search(r"    substantive: .*figures: 12 → 15\n", done.out)
    assert "    substantive: the page was taken away\n" in done.out
    told = [json.loads(line) for line in watched.run_command("versions", native_id, "--json").out.splitlines()]
    assert [each.get("severity") for each in told] == [None, "substantive", "substantive"]


def test_diff_in_a_pipe_has_plain_marks(watched: WatchedSource, native_id: str) -> None:
    url = watched.site.make_path(watched.site.articles[0])
    done = watched.run_command("diff", url, "--from", "1", "--to", "2")
    assert "They helped [-12-]{+15+} people in Astana.  (figures: 12 → 15)" in done.out
    assert "{+ Again+}" in done.out
    assert "\x1b" not in done.out
    assert done.out.count(".warc.gz at byte ") == 2
    assert "unpublished" in watched.run_command("diff", f"qazmonitor:{native_id}:en").out


def test_diff_on_a_terminal_has_colours(watched: WatchedSource, native_id: str) -> None:
    main, other = pty.openpty()
    command = [sys.executable, "-m", "crawler", "diff", native_id, "--to", "2"]
    environment = {**watched.make_environment(), "TERM": "xterm", "COLUMNS": "200"}
    environment.pop("NO_COLOR", None)
    with subprocess.Popen(command, stdout=other, env=environment) as process:
        os.close(other)
        said = b""
        while chunk := _read(main):
            said += chunk
        assert process.wait(60) == 0
    os.close(main)
    assert "\x1b[9;31m12\x1b[0m\x1b[32m15\x1b[0m" in said.decode()


def _read(file: int) -> bytes:
    try:
        return os.read(file, 4096)
    except OSError:  # Linux: the other end is closed
        return b""


def test_diff_as_json_holds_times_records_and_parts(watched: WatchedSource, native_id: str) -> None:
    told = json.loads(watched.run_command("diff", native_id, "--to", "2", "--json").out)
    assert (told["from"]["version"], told["to"]["version"], told["severity"]) == (1, 2, "substantive")
    assert {"figures", "title"} <= set(told["kinds"])
    assert told["to"]["snapshot"]["offset"] > told["from"]["snapshot"]["offset"]
    edit = next(edit for edit in told["edits"] if edit["field"] == "body")
    assert {"mark": "added", "text": "15"} in edit["parts"]


def test_wrong_arguments_are_refused(watched: WatchedSource, native_id: str) -> None:
    for arguments, message in (
        (("diff", "nothing"), "There is no stored article 'nothing'"),
        (("diff", native_id, "--from", "7"), "has no version 7; it has 1, 2, 3"),
        (("evidence", native_id, "-o", "x.tar"), "must be .zip"),
        (("evidence", native_id, "-o", "/nowhere/x.zip"), "there is no folder /nowhere"),
    ):
        done = watched.run_command(*arguments)
        assert (done.code, message in done.err) == (2, True), done.err
    only = watched.site.articles[1].id
    assert "has one version" in watched.run_command("diff", only).err


def test_the_unpublished_article_is_listed_and_exported_with_its_text(watched: WatchedSource, native_id: str) -> None:
    told = [json.loads(line) for line in watched.run_command("articles", "--json").out.splitlines()]
    gone = next(each for each in told if each["id"] == f"qazmonitor:{native_id}:en")
    assert (gone["verdict"], gone["version"]) == ("unpublished", 3)
    assert "They helped 15 people" in gone["body"]


def test_evidence_is_checked_with_common_tools(watched: WatchedSource, native_id: str, tmp_path: Path) -> None:
    output = tmp_path / "evidence.zip"
    done = watched.run_command("evidence", native_id, "-o", str(output))
    assert (done.code, done.err) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == ["evidence.zip"]
    folder = tmp_path / "out"
    with zipfile.ZipFile(output) as archive:
        assert archive.testzip() is None
        archive.extractall(folder)
    subprocess.run(["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=folder, check=True, capture_output=True)
    listed = {line.split("  ")[1] for line in (folder / "SHA256SUMS").read_text().splitlines()}
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert there == listed | {"SHA256SUMS"}

    records = folder / "records.warc.gz"
    assert _warcio_check(records) == 0
    with records.open("rb") as file:
        found = [
            (each.rec_type, each.rec_headers["WARC-Record-ID"], each.http_headers) for each in ArchiveIterator(file)
        ]
    kinds = [kind for kind, _, _ in found]
    assert kinds[0] == "warcinfo"
    # two texts, a 404 and the 404 before it, each with its request; and a robots.txt of each of three runs
    assert (kinds.count("response"), kinds.count("request")) == (7, 7)
    assert [each.statusline for kind, _, each in found if kind == "response"].count("404 Not Found") == 2
    told = json.loads((folder / "provenance.json").read_text())
    named = {record["record_id"] for version in told["versions"] for record in version["records"] + version["robots"]}
    assert named == {name for kind, name, _ in found if kind != "warcinfo"}
    assert [version["read_again"]["result"] for version in told["versions"]] == [
        "the same title, lead and text",
        "the same title, lead and text",
        "HTTP 404",
    ]
    assert told["versions"][0]["read_by"]["body"].startswith("QazArticle:")
    assert told["versions"][0]["fetched_by"].startswith("crawler/")
    assert "12 people" in (folder / "versions/1.txt").read_text()
    assert "[-12-]{+15+}" in (folder / "changes/1-2.txt").read_text()
    assert "judged by the rules 2-" in (folder / "changes/1-2.txt").read_text()
    assert "<del>12</del><ins>15</ins>" in (folder / "index.html").read_text()
    assert "sha256sum -c SHA256SUMS" in (folder / "README.txt").read_text()


def _warcio_check(path: Path) -> int:
    class Command:
        inputs = [str(path)]  # noqa: RUF012 - the shape that warcio asks for
        verbose = False

    checker = Checker(Command())
    checker.process_all()
    return int(checker.exit_value)


def test_each_copied_record_is_the_archives_own_bytes(watched: WatchedSource, native_id: str, tmp_path: Path) -> None:
    output = tmp_path / "evidence.zip"
    watched.run_command("evidence", native_id, "-o", str(output))
    with zipfile.ZipFile(output) as archive:
        records = archive.read("records.warc.gz")
        told = json.loads(archive.read("provenance.json"))
    for version in told["versions"]:
        for record in version["records"]:
            stored = (watched.data / "archive" / record["archive_file"]).read_bytes()[record["archive_offset"] :]
            start = next(length for length in range(1, len(stored) + 1) if _is(stored[:length], record))
            assert stored[:start] in records


def _is(data: bytes, record: dict[str, str]) -> bool:
    return hashlib.sha256(data).hexdigest() == record["member_sha256"]


def test_lost_record_is_reported(watched: WatchedSource, native_id: str, tmp_path: Path) -> None:
    (day,) = (watched.data / "archive" / "qazmonitor").iterdir()
    hidden = day.rename(day.with_suffix(".hidden"))
    try:
        done = watched.run_command("evidence", native_id, "-o", str(tmp_path / "e.zip"))
    finally:
        hidden.rename(day)
    assert done.code == 1
    assert "version 1 has no record" in done.err
    with zipfile.ZipFile(tmp_path / "e.zip") as archive:
        assert "records.warc.gz" not in archive.namelist()
        assert "NO RECORD" in archive.read("README.txt").decode()


def test_evidence_of_an_article_from_a_list(tmp_path: Path) -> None:
    with GovSite(count=3) as site:
        ministry = WatchedSource("mfa", site, tmp_path)
        site.edit_article(site.articles[0].id, "ru", title="Другой заголовок без имён")
        ministry.crawl()
        output = tmp_path / "evidence.zip"
        done = ministry.run_command("evidence", f"mfa:{site.articles[0].id}:ru", "-o", str(output))
        assert (done.code, done.err) == (0, "")
    with zipfile.ZipFile(output) as archive:
        told = json.loads(archive.read("provenance.json"))
        assert "Другой заголовок" in archive.read("versions/1.txt").decode()
    (version,) = told["versions"]
    assert [record["type"] for record in version["records"]] == ["response", "request"]
    assert version["records"][0]["target_uri"].endswith("/graphql")
    assert version["read_again"]["result"] == "the same title, lead and text"
