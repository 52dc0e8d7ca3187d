"""A source without code behaves as a built-in one in every command: one site, added by its address, in four runs."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.local_site import LocalArticle
from support.sandbox import CommandResult, Sandbox
from support.shaped_sites import EndlessSite

pytest.importorskip("trafilatura")
pytestmark = pytest.mark.slow
CONFIG = """
[channels]
desk = "json://127.0.0.1:9/"

[subscriptions.press]
channels = ["desk"]
"""


@dataclass
class WatchedSite:
    """A site that was added and crawled twice: an article was edited and another one removed in between."""

    place: Sandbox
    site: EndlessSite
    edited: LocalArticle
    removed: LocalArticle

    def run(self, *words: object) -> CommandResult:
        ended = self.place.run_crawler(*words)
        assert "Traceback" not in ended.err
        return ended


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedSite]:
    place = Sandbox(tmp_path_factory.mktemp("user"))
    place.work_dir.mkdir()
    (place.work_dir / "crawler.toml").write_text(CONFIG, encoding="utf-8")
    with EndlessSite(count=12) as site:
        added = place.run_crawler("add", f"{site.url}/news/", "--name", "valley", "--yes")
        assert added.code == 0, added.err
        assert place.run_crawler("crawl", "valley").code == 0
        edited = next(article for article in site.articles[:8] if article.on_topic)
        # Not a sample page: `check` requests one of those, and a page that is gone tells it nothing.
        samples = " ".join(path.name for path in (place.work_dir / "snapshots" / "valley").iterdir())
        removed = next(each for each in site.articles[:8] if each is not edited and f"-{each.id}-" not in samples)
        with (place.work_dir / "crawler.toml").open("a", encoding="utf-8") as config:
            config.write(f'\n[sources.valley]\nwatched = ["{removed.id}"]\n')
        site.edit_article(edited.id)
        site.remove_article(removed.id)
        for _ in range(2):  # a page must be gone in two runs
            ended = place.run_crawler("crawl", "valley")
            assert ended.code == 0, ended.out + ended.err
        yield WatchedSite(place, site, edited, removed)


def test_crawl_and_health(watched: WatchedSite) -> None:
    health = watched.run("health", "valley")
    assert (health.code, "valley: healthy" in health.out) == (0, True), health.out
    listed = watched.run("sources").out
    assert "valley: Вести долины" in listed


def test_replay_and_report(watched: WatchedSite) -> None:
    assert watched.run("replay", "valley").code == 0
    report = watched.run("replay", "valley", "--report")
    assert (report.code, "DefinedArticle" in report.out) == (0, True), report.out
    replayed = watched.run("crawl", "valley", "--replay", "snapshots")
    assert replayed.code == 0, replayed.out + replayed.err


def test_check(watched: WatchedSite) -> None:
    checked = watched.run("check", "valley")
    assert checked.code == 0, checked.out
    # The sample that it requests may be the page that was edited.
    assert re.search("^valley DefinedArticle: (as expected|fixture old)", checked.out, re.MULTILINE), checked.out
    assert "valley DefinedList: as expected" in checked.out


def test_drift(watched: WatchedSite) -> None:
    drift = watched.run("drift", "valley")
    assert (drift.code, "DefinedArticle.body" in drift.out) == (0, True), drift.out


def test_revisions(watched: WatchedSite) -> None:
    article = f"valley:{watched.edited.id}:ru"
    versions = watched.run("versions", article)
    assert (versions.code, versions.out.count("revised")) == (0, 1), versions.out
    assert "2026." in watched.run("diff", article).out
    gone = watched.run("versions", f"valley:{watched.removed.id}:ru")
    assert "unpublished" in gone.out, gone.out


def test_show_stories_search_and_alerts(watched: WatchedSite) -> None:
    article = f"valley:{watched.edited.id}:ru"
    assert "Вести долины" in watched.run("show", article).out
    assert watched.run("stories").code == 0
    assert "valley" in watched.run("search", "гуманитарное право").out
    explained = watched.run("alerts", "explain", article)
    assert (explained.code, "press" in explained.out) == (0, True), explained.out


def test_outputs_keep_its_rights(watched: WatchedSite) -> None:
    assert watched.run("digest").code == 0
    exported = watched.run("export", "-o", "all.jsonl")
    assert exported.code == 0, exported.err
    rows = [
        json.loads(line) for line in (watched.place.work_dir / "all.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert {row["source"] for row in rows} == {"valley"}
    body = " ".join(watched.site.get_article(watched.edited.id).texts["ru"].paragraphs)
    assert all(body not in json.dumps(row, ensure_ascii=False) for row in rows)


def test_evidence(watched: WatchedSite) -> None:
    kept = watched.run("evidence", f"valley:{watched.edited.id}:ru", "-o", "kept.zip")
    assert kept.code == 0, kept.err
    with zipfile.ZipFile(watched.place.work_dir / "kept.zip") as package:
        assert package.namelist()


def test_reprocess(watched: WatchedSite) -> None:
    reprocessed = watched.run("reprocess", "valley")
    assert (reprocessed.code, "nothing differs" in reprocessed.out) == (0, True), reprocessed.out


def test_rebuild(watched: WatchedSite) -> None:
    rebuilt = watched.run("store", "rebuild", "--overwrite")
    assert rebuilt.code == 0, rebuilt.out + rebuilt.err
    assert f"valley:{watched.edited.id}:ru" in watched.place.get_articles("valley")


def test_snapshot_and_extract(watched: WatchedSite) -> None:
    address = watched.site.make_path(watched.site.articles[6])
    stored = watched.run("snapshot", address)
    assert stored.code == 0, stored.err
    page = sorted((watched.place.work_dir / "snapshots" / "valley").glob("*.html"))[0]
    extracted = watched.run("extract", page, "--source", "valley")
    assert (extracted.code, '"source": "valley"' in extracted.out) == (0, True), extracted.err


def test_schedule(watched: WatchedSite) -> None:
    assert "valley" in watched.run("schedule").out
    paused = watched.run("schedule", "pause", "valley")
    assert (paused.code, "valley is paused" in paused.out) == (0, True)


def test_retired_source_keeps_its_history(watched: WatchedSite) -> None:
    article = f"valley:{watched.edited.id}:ru"
    assert watched.run("sources", "retire", "valley").code == 0
    assert "Вести долины" in watched.run("show", article).out
    assert watched.run("evidence", article, "-o", "later.zip").code == 0
    assert "valley" not in watched.run("sources").out
    assert watched.run("sources", "enable", "valley").code == 0


def test_stored_sources_folder_is_beside_the_configuration(watched: WatchedSite, tmp_path: Path) -> None:
    config = watched.place.work_dir / "crawler.toml"
    elsewhere = watched.place.run_forked(
        "crawler.__main__:main", "crawler", "--config", config, "replay", "valley", cwd=tmp_path
    )
    assert elsewhere.code == 0, elsewhere.err
