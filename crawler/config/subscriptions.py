"""Who is told what, when and how: `[channels]` and `[subscriptions.NAME]`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, field_validator

from crawler.config.base import ConfigSection, validate_timezone
from crawler.config.delivery_times import DeliverySchedule, DeliveryScheduleField, QuietHoursField

NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


def _read_address(value: object) -> object:
    """An address itself, or what stands in the file of `{ file = "…" }`."""
    if not isinstance(value, dict):
        return value
    if set(value) != {"file"} or not isinstance(value["file"], str):
        raise ValueError('write an address, or { file = "/path/of/a/file" } with the address in it')
    path = Path(value["file"]).expanduser()
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"the file {path} cannot be read") from error
    if not text or "\n" in text:
        raise ValueError(f"the file {path} must hold one address and nothing else")
    return text


ChannelAddress = Annotated[SecretStr, BeforeValidator(_read_address)]


class Subscription(ConfigSection):
    """One subscriber. What is left out asks for everything; `strength` weak adds the matches that are not sure."""

    channels: tuple[str, ...] = Field(min_length=1, description="names in [channels]")
    rules: tuple[str, ...] = Field((), description="rules to hear of; none named: all")
    sources: tuple[str, ...] = Field((), description="sources to hear of; none named: all")
    languages: tuple[Literal["ru", "kk", "en"], ...] = Field((), description="of articles; none named: all")
    strength: Literal["strong", "weak"] = Field("strong", description="least strength of a match")
    unit: Literal["story", "article"] = Field("story", description="told once a story, or once an article")
    tell: tuple[Literal["new", "revised", "unpublished"], ...] = Field(
        ("new", "revised", "unpublished"), min_length=1, description="what is told"
    )
    revisions: Literal["cosmetic", "editorial", "substantive"] = Field(
        "substantive", description="least severity of a revision that is told"
    )
    when: DeliveryScheduleField = Field(
        DeliverySchedule("realtime"), description="realtime, hourly, daily 08:30 or weekly mon 08:30"
    )
    quiet: QuietHoursField = Field(None, description="hours without alerts: 22:00-07:00; told when they end")
    timezone: str | None = Field(None, description="of `when`, `quiet` and times in messages; None: the owner's")
    language: Literal["en", "ru", "kk"] = Field("en", description="of the message around the articles")
    form: Literal["short", "full"] = "full"
    burst: int = Field(20, ge=1, description="most alerts of one run; what is beyond comes in one message")
    empty: Literal["once", "always", "never"] = Field("once", description="whether a digest without news is sent")
    redact: tuple[str, ...] = Field((), description="patterns blacked out in whatever is sent")

    @field_validator("redact")
    @classmethod
    def _validate_redact(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            try:
                found = re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
            if found.search(""):
                raise ValueError(f"{pattern!r} fits nothing at all too, so everything would be blacked out")
        return value

    @field_validator("timezone")
    @classmethod
    def _validate_timezone(cls, value: str | None) -> str | None:
        return None if value is None else validate_timezone(value)
