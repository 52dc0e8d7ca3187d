"""What every part of the configuration shares."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict


class ConfigSection(BaseModel):
    """A part of the configuration; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def validate_timezone(value: str) -> str:
    """The name of a time zone as it is; ValueError for one that does not exist."""
    try:
        ZoneInfo(value)
    except Exception as error:  # ZoneInfo raises several kinds for one mistake
        raise ValueError(f"{value!r} is no time zone name such as Asia/Almaty") from error
    return value


def format_input(value: object) -> str:
    """A value as an error shows it: none in which an address stands, for that may hold a secret."""
    written = repr(value)
    return "'…' (an address is not shown)" if "://" in written else written
