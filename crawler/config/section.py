"""What every part of the configuration shares."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of the configuration; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def zone_name(value: str) -> str:
    """The name of a time zone as it is; ValueError for one that does not exist."""
    try:
        ZoneInfo(value)
    except Exception as error:  # ZoneInfo raises several kinds for one mistake
        raise ValueError(f"{value!r} is no time zone name such as Asia/Almaty") from error
    return value
