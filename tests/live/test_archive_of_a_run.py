"""The WARC files of live runs: read by other tools, extracted again, replayed, and with a page missing."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import brotli
import pytest
from support.gov_site import GovSite
from support.ktkz_site import KtkzSite
from support.qazmonitor_site import QazMonitorSite
from support.sandbox import CommandResult, Sandbox
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from crawler.items import Article

pytestmark = pytest.mark.slow

SOURCES = ("mfa", "qazmonitor", "ktkz")


@pytest.fixture(scope="module")
def archived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Two runs of each source. The first has passing faults; one article of each is edited between them."""
    with GovSite(8) as gov, QazMonitorSite(8) as qaz, KtkzSite(24) as ktkz:
        place = Sandbox(tmp_path_factory.mktemp("archived"), {"mfa": gov, "qazmonitor": qaz, "ktkz": ktkz})
        gov.add_fault("/graphql", "504", times=1)
        qaz.add_fault(qaz.path(qaz.articles[0]), "504", times=1)
        ktkz.add_fault(ktkz.path([a for a in ktkz.articles if "ru" in a.texts][1]), "cut_off", times=1)
        assert place.run_crawler("crawl").code == 0
        gov.edit_article(gov.articles[1].id, "en")
        qaz.edit_article(qaz.articles[1].id)
        ktkz.edit_article(next(a for a in ktkz.articles if "ru" in a.texts).id)
        assert place.run_crawler("crawl").code == 0
        yield place


@pytest.fixture(scope="module")
def replayed(archived: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Sandbox, CommandResult]]:
    """Replay each source's WARC file into an empty store."""
    found = {}
    for source in SOURCES:
        place = Sandbox(tmp_path_factory.mktemp(f"replayed-{source}"), archived.sites)
        for site in archived.sites.values():
            site.requests.clear()
        words = ("crawl", source, "--replay", warc(archived, source), "--keep", "--json")
        found[source] = place, place.run_crawler(*words)
        assert not any(site.requests for site in archived.sites.values())
    return found


def warc(place: Sandbox, source: str) -> Path:
    (found,) = (place.archive_dir / source).glob("*.warc.gz")
    return found


def every_version(place: Sandbox, source: str) -> dict[tuple[str, int | None], Article]:
    return {
        (key, version.version): version for key in place.get_articles(source) for version in place.list_versions(key)
    }


def content(article: Article) -> dict[str, Any]:
    """Return an article without where and when its page was stored, and without how its language was found.

    Of two records with the same text either may come first.
    """
    provenance = {field: rule for field, rule in article.provenance.items() if field != "language"}
    return {**article.to_dict(), "snapshot": None, "fetched_at": None, "provenance": provenance}


@pytest.mark.parametrize("source", SOURCES)
def test_warcio_reads_every_record_and_its_digests(archived: Sandbox, source: str) -> None:
    kinds: dict[str, int] = {}
    with warc(archived, source).open("rb") as stream:
        for record in ArchiveIterator(stream, check_digests="raise"):
            kinds[record.rec_type] = kinds.get(record.rec_type, 0) + 1
            record.content_stream().read()  # to its end: only then does warcio compare the digests
    assert kinds["request"] == kinds["response"] + kinds.get("revisit", 0)
    if source == "qazmonitor":
        assert kinds["revisit"] > 5  # the second run's unchanged pages


@pytest.mark.parametrize("source", SOURCES)
def test_extract_gives_every_stored_version_again(archived: Sandbox, source: str) -> None:
    done = archived.run_crawler("extract", warc(archived, source), "--source", source)
    assert done.code == 0, done.err
    extracted: dict[tuple[str, str], list[Article]] = {}  # an untranslated record gives what another one gave
    for found in map(Article.from_dict, done.lines):
        extracted.setdefault((found.id, found.body), []).append(found)
    for article in every_version(archived, source).values():
        again = extracted[article.id, article.body]
        given = {"verdict": None, "version": None, "copy_of": None}
        assert content(article) | given in [content(each) for each in again]
        assert all(each.fetched_at is not None for each in again)


@pytest.mark.parametrize("source", SOURCES)
def test_a_replay_of_the_archive_stores_the_same(
    archived: Sandbox, replayed: dict[str, tuple[Sandbox, CommandResult]], source: str
) -> None:
    place, done = replayed[source]
    assert (done.code, done.err) == (0, "")
    assert done.get_run(source)["mode"] == "replay"
    before, after = every_version(archived, source), every_version(place, source)
    assert {key: content(a) for key, a in after.items()} == {key: content(a) for key, a in before.items()}
    assert sum(a.version == 2 for a in after.values()) == 1
    assert not list(place.folder.rglob("*.warc*"))


def test_a_page_that_is_missing_is_named(archived: Sandbox, tmp_path: Path) -> None:
    whole, cut = warc(archived, "qazmonitor"), tmp_path / "cut.warc.gz"
    site = archived.sites["qazmonitor"]
    missing = site.url + site.path(site.articles[3])
    with whole.open("rb") as stream, cut.open("wb") as out:
        writer = WARCWriter(out, gzip=True)
        for record in ArchiveIterator(stream):
            if record.rec_headers.get_header("WARC-Target-URI") != missing:
                writer.write_record(record)
    place = Sandbox(tmp_path / "user", archived.sites)
    done = place.run_crawler("crawl", "qazmonitor", "--replay", cut, "--keep")
    assert done.code == 12
    assert f"{missing} was requested and is not stored in {cut}" in done.err
    assert len(place.get_articles("qazmonitor")) == 7


# warcio's writer, used here as another tool, leaves its temporary files to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_a_body_that_is_cut_off_costs_only_itself(archived: Sandbox, tmp_path: Path) -> None:
    """One article's body is cut off and was got again, another's is cut off each time."""
    whole, cut = warc(archived, "qazmonitor"), tmp_path / "cut.warc.gz"
    site = archived.sites["qazmonitor"]
    again, never = (site.url + site.path(article) for article in site.articles[3:5])
    with whole.open("rb") as stream, cut.open("wb") as out:
        writer = WARCWriter(out, gzip=True)
        for record in ArchiveIterator(stream):
            url = record.rec_headers.get_header("WARC-Target-URI")
            if url in (again, never) and record.rec_type == "response":
                http = StatusAndHeaders("200 OK", [("Content-Encoding", "br")], protocol="HTTP/1.1")
                half = BytesIO(brotli.compress(record.content_stream().read())[:-200])
                writer.write_record(writer.create_warc_record(url, "response", payload=half, http_headers=http))
            elif url != never:
                writer.write_record(record)
    with whole.open("rb") as stream, cut.open("ab") as out:
        for record in ArchiveIterator(stream):
            if record.rec_headers.get_header("WARC-Target-URI") == again and record.rec_type == "response":
                WARCWriter(out, gzip=True).write_record(record)
    place = Sandbox(tmp_path / "user", archived.sites)
    done = place.run_crawler("crawl", "qazmonitor", "--replay", cut, "--keep")
    assert done.code == 10
    assert f"{never}: the body cannot be decoded: it is cut off" in done.err
    assert again not in done.err
    assert len(place.get_articles("qazmonitor")) == 7


BREAK_ARCHIVE = """
import logging
from crawler.middlewares import archive
from crawler.service.run import RunPlan, run_source
pack_transaction = archive.pack_transaction
def break_article(transaction):
    return pack_transaction(None if "/report-" in transaction.url else transaction)
archive.pack_transaction = break_article
logging.basicConfig()
run = run_source(RunPlan(source="qazmonitor"), lambda event: None)
for problem in run.problems:
    print(problem.exit_code, problem.kind, problem.url)
"""


def test_a_fault_of_the_code_in_a_middleware_is_no_fault_of_the_network(tmp_path: Path) -> None:
    with QazMonitorSite(2) as site:
        done = Sandbox(tmp_path, {"qazmonitor": site}).run_python("-c", BREAK_ARCHIVE)
        urls = {f"https://qazmonitor.com{site.path(article)}" for article in site.articles}
    assert set(done.out.splitlines()) == {f"1 AttributeError {url}" for url in urls}
    assert "in break_article" in done.err, "the traceback"
