"""`sources/NAME.toml`: what a definition may say, and what a mistake in it prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crawler import spiders
from crawler.config import load_config
from crawler.config.address_pattern import AddressPattern
from crawler.config.source_definition import SiteDefinition, make_definition_schema
from crawler.config.source_folder import current_folder, load_definition, parse_definition
from crawler.errors import DefinitionError, UnknownSource

ROOT = Path(__file__).parents[2]
MINIMAL = """
title = "Valley Herald"
origins = ["https://herald.example", "https://www.herald.example"]
starts = ["https://herald.example/feed/"]
addresses = ["/{year}/{month}/{slug}/"]
"""


@pytest.fixture(autouse=True)
def keep_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current_folder, "path", current_folder.path)


def write_source(folder: Path, name: str = "herald", text: str = MINIMAL) -> Path:
    """Write crawler.toml and one definition, and return the configuration file."""
    (folder / "sources").mkdir(exist_ok=True)
    (folder / "sources" / f"{name}.toml").write_text(text, encoding="utf-8")
    config = folder / "crawler.toml"
    config.touch()
    return config


def test_minimal_definition_has_careful_defaults() -> None:
    found = parse_definition(MINIMAL, "herald.toml")
    assert isinstance(found, SiteDefinition)
    assert (found.rights.excerpt_share, found.rights.link_required) == (0.3, True)
    assert (found.articles, found.identity, found.cron, found.starts[0].pages) == ("pages", "path", "*/30 * * * *", 5)
    assert found.expect.required == ("title", "published_at")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('titel = "x"', "herald.toml:6: there is no setting 'titel', did you mean 'title'?"),
        ('platform = "wordpres"', "herald.toml:6: there is no platform 'wordpres'"),
        ('identity = "{number}"', "identity: the address pattern /{year}/{month}/{slug}/ has no placeholder {number}"),
        ('identity = "id"', 'identity: write "path", or placeholders'),
        ('cron = "hourly"', "herald.toml:6: cron: write five fields"),
        ('cron = "99 * * * *"', "herald.toml:6: cron: '99 * * * *' is no cron expression: its minute '99'"),
        ('cron = "0 0 31 2 *"', "herald.toml:6: cron: '0 0 31 2 *' names a day that never comes"),
        ('timezone = "Mars/Base"', "'Mars/Base' is no time zone name"),
        ('remove = ["div..a"]', "is no CSS selector"),
        ('[fields.title]\nxpath = "//h1["', "herald.toml:7: fields.title.xpath: is no XPath expression"),
        ('[fields.title]\nxpath = "lower(//h1)"', "fields.title.xpath: is no XPath expression"),
        ('[fields.title]\nxpath = "count(//h1)"', "fields.title.xpath: finds a number"),
        ("[fields.title]\nxpath = \"//p[re:test(., '(')]\"", "fields.title.xpath: is no XPath expression"),
        ('[fields.title]\nxpath = "re:test()"', "fields.title.xpath: is no XPath expression"),
        ('remove = ["svg|a"]', "is no CSS selector"),
        ('[fields.title]\ncss = "h1"\nxpath = "//h1"', "write css or xpath"),
        ('exclude = ["news"]', "write the path of an address from its first /"),
        ('exclude = ["/a/b**"]', "** must be a whole segment"),
        ('exclude = ["/*{a}*{b}"]', "at most 3 placeholders"),
        ('exclude = ["/news/{1st}"]', "{1st} is no placeholder"),
        ('date_formats = ["%d.%m"]', "has no day, month and year"),
        ('date_formats = ["%d.%m.%Y %d"]', "is no form of a date"),
        (f"remove = {'[' * 5000}{']' * 5000}", "herald.toml: not valid TOML: its arrays are nested too deeply"),
        (f"jitter = {'9' * 5000}", "herald.toml: not valid TOML: a number is too long"),
        ('languages = ["kaz"]', "languages.0"),
        ('[[starts]]\nurl = "https://other.example/"', "herald.toml"),
    ],
)
def test_mistake_is_one_sentence_with_its_line(line: str, message: str) -> None:
    with pytest.raises(DefinitionError) as raised:
        parse_definition(f"{MINIMAL}{line}\n", "herald.toml")
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_list_on_another_host_is_an_error() -> None:
    text = MINIMAL.replace("https://herald.example/feed/", "https://other.example/feed/")
    with pytest.raises(DefinitionError, match=r"the host of https://other\.example/feed/ is not in origins"):
        parse_definition(text, "herald.toml")


def test_missing_setting_is_named() -> None:
    with pytest.raises(DefinitionError, match=r"herald\.toml: the setting 'title' is missing"):
        parse_definition('starts = ["https://a.example/"]', "herald.toml")


@pytest.mark.parametrize(
    ("pattern", "url", "identity", "target"),
    [
        ("/{year}/{month}/{slug}/", "https://a.example/2026/05/a-b", "path", "/2026/05/a-b/"),
        (
            "/news/{number}-*",
            "https://a.example/news/17-storm.html?utm_source=x#top",
            "{number}",
            "/news/17-storm.html",
        ),
        ("/{language}/press/**", "https://a.example/KZ/press/2026/05/x/", "path", "/KZ/press/2026/05/x"),
        ("/news.php?id={number}", "https://a.example/news.php?lang=ru&id=7", "{number}", "/news.php?id=7"),
        ("/news?type=%D0%BA%20b&a%5Bid%5D={number}", "https://a.example/news?a[id]=7&type=%D0%BA+b", "{number}", None),
        ("/новости/{slug}", "https://a.example/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D0%B8/a", "{slug}", None),
        ("/news/{number}-*", f"https://a.example/news/7-{'мост-' * 30}", "{number}", None),
        ("/**/{number}.html", "https://a.example/a/b/12.html", "{number}", "/a/b/12.html"),
    ],
)
def test_pattern_matches(pattern: str, url: str, identity: str, target: str | None) -> None:
    found = AddressPattern(pattern).match(url)
    assert found is not None
    assert target is None or found.target == target
    if identity != "path":
        assert found.make_identity(identity) in ("17", "7", "12", "a")


@pytest.mark.parametrize(
    ("pattern", "url"),
    [
        ("/news/{number}", "https://a.example/news/storm"),
        ("/news/{number}", "https://a.example/news/17/comments"),
        ("/news/*", "https://a.example/news"),
        ("/news.php?id={number}", "https://a.example/news.php"),
        ("/**", "https://a.example/" + "a/" * 60),
    ],
)
def test_pattern_does_not_match(pattern: str, url: str) -> None:
    assert AddressPattern(pattern).match(url) is None


def test_language_of_an_address_has_its_code() -> None:
    found = AddressPattern("/{language}/x").match("https://a.example/kaz/x")
    assert found is not None
    assert found.language == "kk"


def test_definition_is_a_source(tmp_path: Path) -> None:
    load_config(write_source(tmp_path))
    assert "herald" in spiders.list_names()
    spider = spiders.load_spider("herald")
    assert spider is spiders.load_spider("herald")
    assert (spider.name, spider.title, spider.list_missing_attributes()) == ("herald", "Valley Herald", [])
    address = spider.identify("https://www.herald.example/2026/05/storm?utm_source=x")
    assert address is not None
    assert (address.native_id, address.url) == ("2026/05/storm", "https://herald.example/2026/05/storm/")
    assert spider.identify("https://other.example/2026/05/storm/") is None


def test_changed_definition_is_read_again(tmp_path: Path) -> None:
    path = write_source(tmp_path)
    load_config(path)
    before = spiders.load_spider("herald")
    write_source(tmp_path, text=MINIMAL.replace("Valley Herald", "The Herald of the Valley"))
    assert (before.title, spiders.load_spider("herald").title) == ("Valley Herald", "The Herald of the Valley")


def test_other_configuration_has_other_sources(tmp_path: Path) -> None:
    load_config(write_source(tmp_path))
    empty = tmp_path / "empty" / "crawler.toml"
    empty.parent.mkdir()
    empty.touch()
    load_config(empty)
    with pytest.raises(UnknownSource):
        spiders.load_spider("herald")


def test_broken_definition_breaks_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_source(tmp_path, "broken", "title = ")
    load_config(write_source(tmp_path))
    assert "herald" in spiders.list_names()
    assert "broken" not in spiders.list_names()
    assert "broken" in spiders.list_file_names()
    with pytest.raises(DefinitionError, match=r"broken\.toml: not valid TOML"):
        spiders.load_spider("broken")


def test_built_in_name_is_not_replaced(tmp_path: Path) -> None:
    load_config(write_source(tmp_path, "mfa"))
    assert spiders.list_names().count("mfa") == 1
    assert spiders.load_spider("mfa").title != "Valley Herald"


def test_disabled_and_retired_definitions(tmp_path: Path) -> None:
    write_source(tmp_path, "off", MINIMAL + "enabled = false\n")
    write_source(tmp_path, "old", MINIMAL + "retired = true\n")
    config = load_config(write_source(tmp_path, "often", MINIMAL + 'cron = "auto"\n'))
    assert (config.get_source("off").enabled, config.get_source("old").enabled) == (False, False)
    assert (config.get_source("often").enabled, config.get_source("often").cron) == (True, "auto")
    assert "off" in spiders.list_names()
    assert "old" not in spiders.list_names()
    assert spiders.get_title("old") == "Valley Herald", "its stored articles still have a source with a name"
    (tmp_path / "crawler.toml").write_text("[sources.off]\nenabled = true\n", encoding="utf-8")
    assert load_config(tmp_path / "crawler.toml").get_source("off").enabled, "crawler.toml outranks the definition"


def test_file_that_is_no_definition_is_left_alone(tmp_path: Path) -> None:
    path = write_source(tmp_path)
    for name in ("UPPER.toml", ".hidden.toml", "notes.txt", "source.schema.json"):
        (tmp_path / "sources" / name).write_text("x", encoding="utf-8")
    load_config(path)
    assert set(spiders.list_file_names()) - {"herald"} == {"ktkz", "mfa", "qazmonitor"}


def test_definition_whose_name_no_source_can_have_is_reported_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_source(tmp_path)
    for name in ("Water.toml", "вода.toml"):
        (tmp_path / "sources" / name).write_text(MINIMAL, encoding="utf-8")
    load_config(path)
    for _ in range(2):
        spiders.list_names()
    reported = [
        record.message for record in caplog.records if "is not used: name it in small letters" in record.message
    ]
    assert [Path(message.partition(" is not used")[0]).name for message in reported] == ["Water.toml", "вода.toml"]


def test_large_file_is_an_error(tmp_path: Path) -> None:
    write_source(tmp_path, text=MINIMAL + "#" * 300_000)
    with pytest.raises(DefinitionError, match="more than 256 KB"):
        load_definition(tmp_path / "sources" / "herald.toml")


def test_shipped_schema_is_current() -> None:
    shipped = json.loads((ROOT / "crawler/defaults/source.schema.json").read_text(encoding="utf-8"))
    assert shipped == make_definition_schema(), "write it again: `crawler sources schema`"
