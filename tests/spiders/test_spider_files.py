"""A file among the spiders that is no source is named in one sentence, and the other sources work."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from scrapy.settings import Settings
from scrapy.spiderloader import get_spider_loader

from crawler import spiders
from crawler.config import Config
from crawler.errors import SpiderFileError
from crawler.publish.builder import make_rights_registry
from crawler.service.schedules import get_spider_timings

SOURCES = ["ktkz", "mfa", "qazmonitor"]
FOREIGN = (
    'import scrapy\n\n\nclass NewsSpider(scrapy.Spider):\n    name = "news"\n    start_urls = ["https://n.example"]\n'
)
OWN = "from crawler.spiders.base import SourceSpider\n\n\nclass NewsSpider(SourceSpider):\n"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(spiders, "__path__", [*spiders.__path__, str(tmp_path)])
    yield tmp_path / "news.py"
    sys.modules.pop("crawler.spiders.news", None)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (FOREIGN, "its spider is not derived from SourceSpider"),
        ("class NewsSpider(:\n", "it is no valid Python in line 1 (invalid syntax)."),
        ("", "its spider is not derived from SourceSpider"),
        ("\0", "it is no valid Python"),
        (f'{OWN}    name = "other"\n', "its spider is named 'other', and must be named 'news' like the file."),
        (f"{OWN}    pass\n", "no class in it has a `name`"),
    ],
)
def test_a_file_that_is_no_source_is_named_and_not_used(
    text: str, reason: str, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file.write_text(text)
    assert spiders.list_names() == SOURCES
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.message.startswith(f"{file} is not used: {reason}")
    assert "\n" not in record.message
    with pytest.raises(SpiderFileError, match="is not used: "):
        spiders.load_spider("news")
    assert spiders.get_title("news") == "news"


def test_a_file_that_is_added_or_removed_is_noticed(file: Path) -> None:
    os.utime(file.parent, ns=(0, 0))  # the two changes may be within one tick of the file system
    assert spiders.list_names() == SOURCES
    file.write_text(f'{OWN}    name = "news"\n')
    assert spiders.list_names() == sorted([*SOURCES, "news"])
    file.unlink()
    os.utime(file.parent, ns=(1, 1))
    assert spiders.list_names() == SOURCES


@pytest.mark.parametrize("cause", ["import nowhere", "1 / 0", "import sys; sys.exit(3)"])
def test_a_source_that_cannot_be_imported_stops_no_other(
    cause: str, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file.write_text(f'{cause}\n{OWN}    name = "news"\n')
    assert list(spiders.load_spiders()) == SOURCES
    assert list(spiders.load_spiders()) == SOURCES
    assert [record.message.partition(" Error")[0].startswith(f"{file} cannot be ") for record in caplog.records] == [
        True
    ]
    assert list(get_spider_timings(["mfa", "news"])) == ["mfa"]
    with pytest.raises(SpiderFileError, match="cannot be imported"):
        spiders.load_spider("news")


def test_unfinished_source_is_named_with_what_it_lacks(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    file.write_text(f'{OWN}    name = "news"\n    title = "News"\n')
    assert list(spiders.load_spiders()) == SOURCES
    (record,) = caplog.records
    lacking = "origins, method, page_classes, expectation, rights, identify"
    assert record.message.startswith(f"{file} is not used: its spider has no {lacking}; ")
    assert make_rights_registry(Config())


@pytest.mark.parametrize(
    "header",
    [
        "from .mfa import MfaSpider\n\nclass NewsSpider(MfaSpider):\n",
        "import crawler.spiders.mfa as base\n\nclass NewsSpider(base.MfaSpider):\n",
        "from crawler.spiders.base import SourceSpider\nfrom crawler.spiders.mfa import MfaSpider\n\n"
        "class Helper(SourceSpider):\n    pass\n\nclass NewsSpider(MfaSpider):\n",
    ],
)
def test_source_may_be_derived_from_another_one(header: str, file: Path) -> None:
    file.write_text(f'{header}    name = "news"\n')
    assert spiders.load_spider("news").name == "news"


def test_scrapys_commands_load_the_other_sources(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    file.write_text("class NewsSpider(:\n")
    settings = Settings()
    settings.setmodule("crawler.settings")
    assert get_spider_loader(settings).list() == SOURCES
    assert len(caplog.records) == 1
