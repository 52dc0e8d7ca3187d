"""`crawl --replay snapshots`: all shipped snapshots, without a socket, twice; what is kept; and missing pages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.sandbox import ROOT, CommandResult, Sandbox

NO_SOCKETS = """
import socket, sys
from pathlib import Path

def refused(real):
    def connect(self, address, *more):
        if self.family != socket.AF_UNIX:
            Path(NOTES, "connected").write_text(repr(address))
            raise OSError(f"no socket is opened in a replay: {address!r}")
        return real(self, address, *more)
    return connect

NOTES = "%s"
Path(NOTES, "guarded").touch()
socket.socket.connect = refused(socket.socket.connect)
socket.socket.connect_ex = refused(socket.socket.connect_ex)
socket.getaddrinfo = lambda *a, **k: refused(None)(type("Name", (), {"family": None})(), a)
"""


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sandbox, list[CommandResult]]:
    """Replay the shipped snapshots twice into one store, where no connection can be opened."""
    folder = tmp_path_factory.mktemp("replayed")
    guard = folder / "guard"
    guard.mkdir()
    (guard / "sitecustomize.py").write_text(NO_SOCKETS % folder)
    place = Sandbox(folder, variables={"PYTHONPATH": f"{guard}:{ROOT}"})
    words = ("crawl", "--replay", ROOT / "snapshots", "--keep", "--json", "--all")
    return place, [place.run_crawler(*words) for _ in range(2)]


@pytest.fixture(scope="module")
def third(replayed: tuple[Sandbox, list[CommandResult]]) -> CommandResult:
    """Replay once more into the same store, for people."""
    place, _ = replayed
    return place.run_crawler("crawl", "--replay", ROOT / "snapshots", "--keep", "-v")


def test_everything_shipped_is_healthy(replayed: tuple[Sandbox, list[CommandResult]]) -> None:
    place, (first, _) = replayed
    assert (first.code, first.err) == (0, "")
    for source in ("mfa", "qazmonitor", "ktkz"):
        assert first.get_run(source)["health"] == "healthy"
    assert {"mfa:kt-1377987073:ru", "qazmonitor:1392:en"} < place.get_articles().keys()


def test_no_socket_was_opened(replayed: tuple[Sandbox, list[CommandResult]]) -> None:
    place, _ = replayed
    assert (place.folder / "guarded").exists()
    assert not (place.folder / "connected").exists()


def test_the_second_time_nothing_is_new(replayed: tuple[Sandbox, list[CommandResult]]) -> None:
    _, (_, second) = replayed
    assert (second.code, second.err) == (0, "")
    for source in ("mfa", "qazmonitor", "ktkz"):
        told = {name for name in second.get_run(source)["counts"] if name.startswith("articles/")}
        assert told == {"articles/unchanged"}, source
    assert all(line["verdict"] == "unchanged" for line in second.lines if line["type"] == "article")


def test_a_replay_writes_no_archive(replayed: tuple[Sandbox, list[CommandResult]]) -> None:
    place, _ = replayed
    assert not list(place.folder.rglob("*.warc*"))


@pytest.mark.slow
def test_replay_is_not_kept_unless_asked(tmp_path: Path) -> None:
    place = Sandbox(tmp_path / "user", variables={"TMPDIR": str(tmp_path / "temporary")})
    (tmp_path / "temporary").mkdir()
    own = tmp_path / "own.db"
    own.write_bytes(b"not a database")
    words = ("crawl", "--replay", stored_list(tmp_path / "pages", follow="stored"))
    plain, as_json = place.run_many(words, (*words, "--json"), CRAWLER_DATABASE=f"sqlite:///{own}")
    assert (plain.code, plain.err, as_json.code) == (0, "", 0)
    assert plain.out.endswith(f"Nothing was stored. To store these articles in {own}, add --keep.\n")
    assert as_json.err.startswith("Nothing was stored.")
    run = as_json.get_run("qazmonitor")
    assert (run["stored"], run["counts"]["articles/new"]) == (False, 1)  # the first replay left nothing behind
    assert own.read_bytes() == b"not a database"
    assert not place.data_dir.exists()
    assert not list((tmp_path / "temporary").iterdir())


@pytest.mark.slow
def test_table_of_a_second_replay_counts_what_json_counts(
    replayed: tuple[Sandbox, list[CommandResult]], third: CommandResult
) -> None:
    _, (_, second) = replayed
    lines = [line.split() for line in third.out.splitlines()]
    start = next(number for number, line in enumerate(lines) if line[:2] == ["source", "pages"])
    head, *rows = lines[start : start + 4]
    for row in rows:
        counts = second.get_run(row[0])["counts"]
        found = dict(zip(head[1:], map(int, row[1:]), strict=True))
        expected = {"unchanged": counts["articles/unchanged"], "matched": counts["matched"], "pages": counts["pages"]}
        assert found == dict.fromkeys(head[1:], 0) | expected


def test_verbose_replay_names_files_and_warns_of_nothing(third: CommandResult) -> None:
    assert (third.code, third.err) == (0, "")
    assert "stored://" not in third.out
    assert "internal meta keys" not in third.out
    assert "mfa: mfa: " not in third.out
    assert f"mfa: 200 {ROOT / 'snapshots' / 'mfa'}" in third.out
    assert "Stored in " in third.out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [(("--keep",), "--keep belongs to --replay"), (("--keep", "--replay", "x", "--dry-run"), "choose one of them")],
)
def test_keep_without_replay_or_with_dry_run_is_an_error_of_use(
    tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    done = Sandbox(tmp_path).run_crawler("crawl", *words)
    assert (done.code, done.out) == (2, "")
    assert sentence in done.err


def stored_list(folder: Path, **meta: object) -> Path:
    """Make a folder with QazMonitor's feed of two articles and one of the two."""
    pages = folder / "qazmonitor"
    pages.mkdir(parents=True)
    article = ROOT / "snapshots" / "qazmonitor" / "article_1405"
    there = json.loads(article.with_suffix(".meta.json").read_text())["url"]
    links = (there, "https://qazmonitor.com/news/9999/not-stored")
    items = "".join(f"<item><title>A</title><link>{link}</link></item>" for link in links)
    (pages / "rss.xml").write_text(f'<?xml version="1.0"?><rss version="2.0"><channel>{items}</channel></rss>')
    (pages / "rss.meta.json").write_text(json.dumps({"url": "https://qazmonitor.com/rss", **meta}))
    for ending in (".html", ".meta.json"):
        (pages / f"article_1405{ending}").write_bytes(article.with_suffix(ending).read_bytes())
    return folder


@pytest.mark.slow
def test_a_list_without_one_of_its_articles_names_it(tmp_path: Path) -> None:
    place = Sandbox(tmp_path / "user")
    done = place.run_crawler("crawl", "--replay", stored_list(tmp_path / "pages"), "--keep")
    assert done.code == 12
    assert "https://qazmonitor.com/news/9999/not-stored was requested and is not stored" in done.err
    assert place.get_articles().keys() == {"qazmonitor:1405:en"}


def test_a_list_kept_without_its_articles_says_so(tmp_path: Path) -> None:
    done = Sandbox(tmp_path / "user").run_crawler(
        "crawl", "qazmonitor", "-v", "--replay", stored_list(tmp_path / "pages", follow="stored")
    )
    assert (done.code, done.err) == (0, "")
    assert "9999/not-stored is listed but not stored" in done.out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("mfa", "--replay", "pages"), "pages holds nothing stored for 'mfa'"),
        (("--replay", "elsewhere"), "elsewhere does not exist"),
        (("--replay", "empty"), "empty holds no folder of a source"),
        (("--replay", "page.xml"), "name the source it belongs to"),
    ],
)
def test_nothing_stored_is_an_error_of_use(tmp_path: Path, words: tuple[str, ...], sentence: str) -> None:
    place = Sandbox(tmp_path)
    stored_list(place.work_dir / "pages")
    (place.work_dir / "empty").mkdir()
    (place.work_dir / "page.xml").write_text("<rss/>")
    done = place.run_crawler("crawl", *words)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("crawler: ")
    assert sentence in done.err
    assert done.err.count("\n") == 1
