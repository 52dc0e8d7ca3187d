"""`crawler extract`: the two provided documents exactly, every kind of file, and the links of list pages."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from support.sandbox import ROOT, Sandbox
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

SNAPSHOTS = ROOT / "snapshots"
RELEASE = SNAPSHOTS / "mfa" / "000_efeb8921cb83161c.txt"
NEWS = SNAPSHOTS / "qazmonitor" / "004_e20d83a56e785f98.txt"
KT = "https://www.kt.kz/rus/press-materialy/starshie_dolzhnostnye_litsa_formata_tsentralnaya_aziya_-_1377987073.html"
QAZ = "https://qazmonitor.com/news/1392/kazakh-mfa-and-red-cross-discuss-cooperation-for-2023"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    return Sandbox(tmp_path_factory.mktemp("extract"))


def one(sandbox: Sandbox, *words: object) -> dict[str, Any]:
    """The only article that `crawler extract WORDS` gives."""
    return each(sandbox, words)[0]


def each(sandbox: Sandbox, *commands: tuple[object, ...]) -> list[dict[str, Any]]:
    """The only article of each of several."""
    found = []
    for done in sandbox.run_many(*(("extract", *words) for words in commands)):
        assert (done.code, done.err) == (0, "")
        (article,) = done.lines
        found.append(article)
    return found


def alone(path: Path, folder: Path) -> Path:
    """The file without what stands beside it."""
    return Path(shutil.copy(path, folder / path.name))


def test_the_press_release(sandbox: Sandbox) -> None:
    done = sandbox.run_crawler("extract", RELEASE, "--source", "mfa")
    assert (done.code, done.err) == (0, "")
    (article,) = done.lines
    given = {name: article[name] for name in ("id", "source", "url", "language", "attribution", "title", "lead")}
    assert given == {
        "id": "mfa:kt-1377987073:ru",
        "source": "mfa",
        "url": KT,
        "language": "ru",
        "attribution": "МИД РК",
        "title": None,
        "lead": None,
    }
    assert article["published_at"] is None
    assert article["fetched_at"] is None
    paragraphs = article["body"].split("\n")
    assert len(paragraphs) == 7
    assert paragraphs[0].startswith("Первый заместитель министра иностранных дел Республики Казахстан Ержан Ашикбаев")
    assert "Источник" not in article["body"]
    assert {match["rule"] for match in article["matches"]} >= {"red-cross-movement", "ihl"}


def test_the_news_article(sandbox: Sandbox) -> None:
    article = one(sandbox, NEWS, "--source", "qazmonitor")
    assert article["title"] == "Kazakh MFA and Red Cross Discuss Cooperation for 2023"
    assert article["lead"] == "First deputy foreign minister received officials of the ICRC mission in Kazakhstan"
    assert (article["section"], article["reading_minutes"]) == ("News", 1)
    assert article["published_at"] == "2023-02-08T10:28:00+06:00"
    paragraphs = article["body"].split("\n")
    assert len(paragraphs) == 6
    assert paragraphs[0].startswith("First deputy foreign minister Kairat Umarov")
    assert paragraphs[-1].endswith("projects and activities.")
    captions = ["ICRC", "Ministry of Foreign Affairs of Kazakhstan"]
    assert article["images"] == [{"url": None, "caption": caption} for caption in captions]
    assert not set(captions) & set(paragraphs)
    assert article["rights"]["wording"].startswith("Only 30% of an article published on The Qazaqstan Monitor")
    assert "Only 30%" not in article["body"]
    for match in article["matches"]:
        assert article[match["field"]][match["start"] : match["end"]] == match["surface"]


@pytest.mark.slow
def test_url_may_be_given_without_a_meta_file(sandbox: Sandbox, tmp_path: Path) -> None:
    pages = ((RELEASE, "mfa", KT), (NEWS, "qazmonitor", QAZ))
    with_meta = [(page, "--source", source) for page, source, _ in pages]
    with_url = [(alone(page, tmp_path), "--source", source, "--url", url) for page, source, url in pages]
    found = [article | {"snapshot": None} for article in each(sandbox, *with_meta, *with_url)]
    assert found[2:] == found[:2]


def test_without_a_url_the_bytes_identify_the_page(sandbox: Sandbox, tmp_path: Path) -> None:
    command = (alone(RELEASE, tmp_path), "--source", "mfa")
    first, second = each(sandbox, command, command)
    assert first["id"].startswith("mfa:sha256-")
    assert first["url"].startswith("stored://sha256/")
    assert first["id"] == second["id"]


def test_html_and_json(sandbox: Sandbox) -> None:
    html, done = sandbox.run_many(
        ("extract", SNAPSHOTS / "qazmonitor" / "article_1405.html", "--source", "qazmonitor"),
        ("extract", SNAPSHOTS / "mfa" / "graphql_ru_page1.json", "--source", "mfa"),
    )
    assert [article["id"] for article in html.lines] == ["qazmonitor:1405:en"]
    assert done.code == 0
    for article in done.lines:
        assert article["url"].endswith(f"/details/{article['id'].split(':')[1]}?lang={article['language']}")


NO_ARTICLE = [
    ("qazmonitor/terms.html", "qazmonitor", 0, "no article"),
    ("qazmonitor/challenge_200.html", "qazmonitor", 11, "challenge page"),
    ("mfa/shell.html", "mfa", 11, "JavaScript shell"),
    ("mfa/rest_not_allowed.json", "mfa", 11, "notAllowed"),
    ("mfa/graphql_504.html", "mfa", 10, "504"),
    ("qazmonitor/article_1411_changed.html", "qazmonitor", 12, "the field"),
    ("qazmonitor/rss.xml", "qazmonitor", 0, "is a list of"),
    ("mfa/nothing.html", "mfa", 2, "does not exist"),
    ("mfa", "mfa", 2, "does not exist"),
    ("../README.md", "mfa", 2, "the suffix is not of a page"),
    ("qazmonitor/terms.html", "qazmonitr", 2, "did you mean 'qazmonitor'?"),
]


def test_reason_for_no_article_is_on_stderr(sandbox: Sandbox) -> None:
    commands = [("extract", SNAPSHOTS / page, "--source", source) for page, source, _, _ in NO_ARTICLE]
    for (page, _, code, words), done in zip(NO_ARTICLE, sandbox.run_many(*commands), strict=True):
        assert (done.code, done.out) == (code, ""), (page, done.err)
        assert words in done.err
        assert done.err.startswith("crawler: ")
        assert done.err.count("\n") == 1


def test_links_of_a_list_page(sandbox: Sandbox, tmp_path: Path) -> None:
    feed, page = SNAPSHOTS / "ktkz" / "rss_kaz.xml", SNAPSHOTS / "ktkz" / "list_rus_press.html"
    renamed = Path(shutil.copy(feed, tmp_path / "feed.bin"))
    typed = ("--url", "https://www.kt.kz/kaz/rss", "--content-type", "application/rss+xml")
    commands = [(feed,), (page,), (renamed, *typed)]
    for (file, *words), done in zip(
        commands,
        sandbox.run_many(*(("extract", *each, "--source", "ktkz", "--links") for each in commands)),
        strict=True,
    ):
        assert (done.code, done.err) == (0, ""), (file, words)
        expected = json.loads((page if file == page else feed).with_suffix(".expected.json").read_text())
        assert [line["link"] for line in done.lines] == expected["links"]
        assert all(line.keys() == {"link"} for line in done.lines)


def test_an_article_has_no_links(sandbox: Sandbox) -> None:
    done = sandbox.run_crawler("extract", SNAPSHOTS / "ktkz" / "article_eng.html", "--source", "ktkz", "--links")
    assert (done.code, done.out) == (0, "")
    assert "is not a list page" in done.err


def test_nothing_is_stored(sandbox: Sandbox) -> None:
    assert not sandbox.data_dir.exists()


def test_a_library_that_quotes_a_page_commands_no_terminal(sandbox: Sandbox, tmp_path: Path) -> None:
    """warcio logs an address with spaces as it is."""
    file = tmp_path / "a.warc"
    with file.open("wb") as output:
        writer = WARCWriter(output, gzip=False)
        http = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
        writer.write_record(writer.create_warc_record("http://e.org/ADDRESS", "response", http_headers=http))
    hostile = b"http://e.org/ \x1b[2J\x1b]0;pwned\x07\xc2\x9b31m x"
    file.write_bytes(file.read_bytes().replace(b"http://e.org/ADDRESS", hostile))
    done = sandbox.run_crawler("extract", file, "--source", "ktkz")
    assert "Replacing spaces in invalid WARC-Target-URI: http://e.org/ [2J]0;pwned31m x" in done.err
    assert done.err.replace("\n", "").isprintable()
