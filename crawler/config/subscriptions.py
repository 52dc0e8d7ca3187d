"""The sections `[channels]` and `[subscriptions.NAME]`: recipients, and what each of them gets when."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, field_validator

from crawler.config.base import ArticleLanguage, ConfigSection, TextLanguage, expand_home, validate_timezone
from crawler.config.delivery_times import DeliverySchedule, DeliveryScheduleField, QuietHoursField

MAX_ADDRESS_LENGTH = 65_536
"""Characters of a file with an address that are read."""
NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


def _read_address(value: object) -> object:
    """Return the address, or for `{ file = "…" }` the content of the file."""
    if not isinstance(value, dict):
        return value
    if set(value) != {"file"} or not isinstance(value["file"], str):
        raise ValueError('write an address, or { file = "/path/of/a/file" } with the address in it')
    path = expand_home(value["file"])
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MAX_ADDRESS_LENGTH).strip()
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, or a name that no file can have
        raise ValueError(f"the file {path} cannot be read") from error
    if not text or not text.isprintable():
        raise ValueError(f"the file {path} must contain one address and nothing else")
    return text


ChannelAddress = Annotated[SecretStr, BeforeValidator(_read_address)]


class Subscription(ConfigSection):
    """One subscriber. A filter that is not set lets everything pass, except that `strength` is "strong"."""

    channels: tuple[str, ...] = Field(min_length=1, description="names in [channels]")
    rules: tuple[str, ...] = Field((), description="rules to report; none: all")
    sources: tuple[str, ...] = Field((), description="sources to report; none: all")
    languages: tuple[TextLanguage, ...] = Field((), description="languages of articles to report; none: all")
    strength: Literal["strong", "weak"] = Field("strong", description="minimum strength of a match")
    unit: Literal["story", "article"] = Field("story", description="one alert for each story, or for each article")
    tell: tuple[Literal["new", "revised", "unpublished"], ...] = Field(
        ("new", "revised", "unpublished"), min_length=1, description="changes to report"
    )
    revisions: Literal["cosmetic", "editorial", "substantive"] = Field(
        "editorial", description="minimum severity of a revision to report"
    )
    when: DeliveryScheduleField = Field(
        DeliverySchedule("realtime"), description="realtime, hourly, daily 08:30 or weekly mon 08:30"
    )
    quiet: QuietHoursField = Field(None, description="hours without alerts (22:00-07:00); sent when they end")
    paused_until: date | None = Field(None, description="day on which messages begin again; one digest has the rest")
    timezone: str | None = Field(None, description="of `when`, `quiet` and times in messages; None: the global one")
    language: ArticleLanguage = Field("en", description="language of the text around the articles")
    form: Literal["short", "full"] = "full"
    burst: int = Field(20, ge=1, le=10_000, description="maximum alerts within 10 minutes; one list has the rest")
    empty: Literal["once", "always", "never"] = Field("once", description="when to send a digest without articles")
    redact: tuple[str, ...] = Field((), description="regular expressions to black out in every message")
    user: str | None = Field(None, max_length=64, description="user who may change it in the browser; none: owners")

    @field_validator("redact")
    @classmethod
    def _validate_redact(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            try:
                compiled = re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
            if compiled.search(""):
                raise ValueError(f"{pattern!r} also matches the empty string and would black out everything")
        return value

    @field_validator("timezone")
    @classmethod
    def _validate_timezone(cls, value: str | None) -> str | None:
        return None if value is None else validate_timezone(value)
