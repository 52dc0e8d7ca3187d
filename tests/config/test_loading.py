"""Loading of the configuration: order of files, variables, paths, and errors with line and nearest word."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from crawler import spiders
from crawler.config import Config, SourceConfig, find_config_file, load_config
from crawler.errors import ConfigError, UnknownSource


@pytest.fixture(autouse=True)
def empty_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Make the working directory, the home and the environment empty."""
    for name in [name for name in os.environ if name.upper().startswith("CRAWLER_")]:
        monkeypatch.delenv(name)
    for name in ("config", "data", "work"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path / "work")
    yield tmp_path


def write_file(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_built_in_values(empty_environment: Path) -> None:
    config = load_config()
    assert (config.path, config.contact, config.timezone) == (None, None, "Asia/Almaty")
    assert config.data_folder == empty_environment / "data" / "crawler"
    assert config.database_url == f"sqlite:///{empty_environment / 'data' / 'crawler' / 'crawler.db'}"
    assert config.archive_dir == empty_environment / "data" / "crawler" / "archive"
    assert not config.data_folder.exists()


def test_first_file_found_wins(empty_environment: Path) -> None:
    user = write_file(empty_environment / "config" / "crawler" / "crawler.toml", 'contact = "user"')
    assert (load_config().contact, find_config_file()) == ("user", user)
    write_file(Path("crawler.toml"), 'contact = "here"')
    assert (load_config().contact, load_config().path) == ("here", empty_environment / "work" / "crawler.toml")
    given = write_file(empty_environment / "given.toml", 'contact = "given"')
    assert (load_config(given).contact, load_config(given).path) == ("given", given)


def test_variable_outranks_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    write_file(
        Path("crawler.toml"),
        'contact = "file"\n[limits]\nbody_mb = 3\npage_seconds = 4\n[sources.mfa]\npages = 5\njitter = 6',
    )
    monkeypatch.setenv("CRAWLER_CONTACT", "variable")
    monkeypatch.setenv("CRAWLER_LIMITS__BODY_MB", "7")
    monkeypatch.setenv("CRAWLER_SOURCES__MFA__PAGES", "8")
    config = load_config()
    assert (config.contact, config.limits.body_mb, config.limits.page_seconds) == ("variable", 7, 4)
    assert (config.get_source("mfa").pages, config.get_source("mfa").jitter) == (8, 6)


def test_missing_file_is_an_error(empty_environment: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml does not exist.*crawler init"):
        load_config(empty_environment / "none.toml")


def test_empty_file_sets_nothing() -> None:
    write_file(Path("crawler.toml"), "# nothing\n[limits]\n[politeness]\n[sources.mfa]\n")
    assert load_config().model_dump(exclude={"sources"}) == Config().model_dump(exclude={"sources"})
    assert load_config().get_source("mfa") == SourceConfig()


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ('contct = "x"', 2, "there is no setting 'contct', did you mean 'contact'?"),
        ("[limits]\nbody_mbs = 1", 3, "there is no setting 'limits.body_mbs', did you mean 'body_mb'?"),
        ("[politness]\ndelay = 1", 2, "there is no setting 'politness', did you mean 'politeness'?"),
        ("[sources.mfa]\npagesize = 3", 3, "there is no setting 'sources.mfa.pagesize', did you mean 'page_size'?"),
        ("[sources.mfa]\nzzzz = 3", 3, "there is no setting 'sources.mfa.zzzz'."),
        ('path = "x"', 2, "there is no setting 'path'."),
        ('[limits]\nbody_mb = "big"', 3, "limits.body_mb = 'big' cannot be used"),
        ("[limits]\nbody_mb = 0", 3, "greater than 0"),
        ("limits.body_mb = -1", 2, "limits.body_mb = -1"),
        ("[politeness]\ndelay = 1\nconcurrency = 99", 4, "politeness.concurrency = 99"),
        ('[sources.mfa]\npages = 1\n\n[sources.ktkz]\npages = "x"', 6, "sources.ktkz.pages = 'x'"),
        ('[sources.mfa]\nbase_url = "ftp://x"', 3, "must begin with http:// or https://"),
        ('[sources.mfa]\ncreated_date = "astana"', 3, "'local' or 'utc'"),
        ('[sources.mfa]\nlanguages = "ru"', 3, "sources.mfa.languages"),
        ("[sources.mfa]\nexcerpt_share = 1.5", 3, "less than or equal to 1"),
        ('timezone = "Mars/Base"', 2, "cannot be used: 'Mars/Base' is no time zone name such as Asia/Almaty."),
        ("limits = 3", 2, "limits = 3"),
        ("sources = 7", 2, "sources = 7"),
        ("[sources]\nmfa = 3", 3, "sources.mfa = 3"),
        ("database = 7", 2, "database = 7"),
        ('data_dir = "~nobody-here/x"', 2, "data_dir cannot be used: ~nobody-here is the home folder of no user."),
        ('[channels]\ndesk = { file = "~nobody-here/x" }', 3, "~nobody-here is the home folder of no user"),
    ],
)
def test_error_names_file_line_and_nearest_word(text: str, line: int, part: str) -> None:
    write_file(Path("crawler.toml"), f"# A comment\n{text}\n")
    with pytest.raises(ConfigError) as caught:
        load_config()
    assert str(caught.value).startswith(f"crawler.toml:{line}: ")
    assert part in str(caught.value)


def test_unknown_language_is_an_error() -> None:
    write_file(Path("crawler.toml"), '[sources.mfa]\nlanguages = ["ru", "de"]')
    with pytest.raises(ConfigError, match="'de' cannot be used"):
        load_config()


@pytest.mark.parametrize(
    "raw", [b"a = ", b"[limits", b"a = 1\na = 2", b"contact = 'x", "contact = 'Мост'".encode("cp1251")]
)
def test_broken_toml_is_an_error(raw: bytes) -> None:
    Path("crawler.toml").write_bytes(raw)
    with pytest.raises(ConfigError, match=r"^crawler\.toml(:\d+)?: not valid TOML: "):
        load_config()


def test_byte_order_mark_is_named() -> None:
    Path("crawler.toml").write_bytes(b"\xef\xbb\xbfarchive = false\n")
    with pytest.raises(ConfigError, match=r"begins with a byte order mark\. Save it as UTF-8 without BOM\."):
        load_config()


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("CRAWLER_DATA_DIR", "~nobody-here/x", "the variable CRAWLER_DATA_DIR: data_dir"),
        ("CRAWLER_DATA_DIR", "/srv/news?", "data_dir = '/srv/news?' cannot be used: the path has ?"),
        ("CRAWLER_DATA_DIR", "/srv/a%20b", "data_dir = '/srv/a%20b' cannot be used: the path has ?"),
        ("CRAWLER_CONTCT", "x", "The variable CRAWLER_CONTCT sets nothing, did you mean 'CRAWLER_CONTACT'?"),
        ("crawler_contact", "x", "The variable crawler_contact sets nothing, did you mean 'CRAWLER_CONTACT'?"),
        ("CRAWLER_CONTACT__X", "x", "The variable CRAWLER_CONTACT__X sets nothing"),
        ("CRAWLER_PATH", "x", "The variable CRAWLER_PATH sets nothing"),
        ("CRAWLER_LIMITS__BODY_MB", "big", "the variable CRAWLER_LIMITS__BODY_MB: limits.body_mb = 'big'"),
        ("CRAWLER_LIMITS__BODYMB", "1", "there is no setting 'limits.bodymb', did you mean 'body_mb'?"),
        ("CRAWLER_SOURCES__MFA__PAGSE", "1", "there is no setting 'sources.mfa.pagse', did you mean 'pages'?"),
        ("CRAWLER_SOURCES__MFA__LANGUAGES", "ru", "the variable CRAWLER_SOURCES__MFA__LANGUAGES"),
        ("CRAWLER_LIMITS", "x", "limits"),
        ("CRAWLER_TIMEZONE", "Mars/Base", "the variable CRAWLER_TIMEZONE"),
    ],
)
def test_wrong_variable_is_an_error(name: str, value: str, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as caught:
        load_config()
    assert part in str(caught.value)


@pytest.mark.parametrize("name", ["CRAWLERX", "SCRAPY_CRAWLER_X"])
def test_variables_of_other_programs_are_ignored(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "x")
    assert load_config() == Config()


def test_paths_of_a_file_are_relative_to_it(empty_environment: Path) -> None:
    given = write_file(empty_environment / "etc" / "c.toml", 'rules = "my/rules.toml"\ndata_dir = "data"')
    config = load_config(given)
    assert config.rules == empty_environment / "etc" / "my" / "rules.toml"
    assert config.data_folder == empty_environment / "etc" / "data"


def test_home_and_absolute_paths(empty_environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(empty_environment))
    write_file(Path("crawler.toml"), f'rules = "{empty_environment}/r.toml"\ndata_dir = "~/news"')
    assert (load_config().rules, load_config().data_folder) == (
        empty_environment / "r.toml",
        empty_environment / "news",
    )


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("postgres://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql+psycopg://u@h/d", "postgresql+psycopg://u@h/d"),
        ("sqlite:////x/y.db", "sqlite:////x/y.db"),
    ],
)
def test_database(given: str, url: str) -> None:
    assert Config(database=given).database_url == url


@pytest.mark.parametrize(
    ("everywhere", "own", "may"),
    [(False, None, False), (True, None, True), (False, True, True), (True, False, False)],
)
def test_source_overrides_allow_private(everywhere: bool, own: bool | None, may: bool) -> None:
    config = Config(allow_private=everywhere, sources={"mfa": SourceConfig(allow_private=own)})
    assert config.allows_private_address("mfa") is may
    assert config.allows_private_address("ktkz") is everywhere


def test_user_agent_names_the_contact() -> None:
    assert Config(contact="press@example.org").user_agent.endswith("(news monitoring; +press@example.org)")
    assert Config().user_agent.endswith("(news monitoring)")


def test_unknown_source_names_the_nearest_source() -> None:
    config = Config(sources={"qazmonitro": SourceConfig()})
    with pytest.raises(UnknownSource, match="'qazmonitro', did you mean 'qazmonitor'"):
        config.raise_if_unknown_source(spiders.list_names())
    Config(sources={"mfa": SourceConfig()}).raise_if_unknown_source(spiders.list_names())


def test_values_are_frozen() -> None:
    for section in (Config(), Config().limits, SourceConfig()):
        with pytest.raises(ValueError, match="frozen"):
            section.__setattr__(next(iter(type(section).model_fields)), None)


def test_unreadable_file_is_an_error(tmp_path: Path) -> None:
    """A folder causes the same error as a file without permission, and also for root, who may read every file."""
    path = tmp_path / "crawler.toml"
    path.mkdir()
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load_config(path)
