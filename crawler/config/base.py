"""Types and checks that all parts of the configuration use."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict
from pydantic_core import ErrorDetails

from crawler.text.dates import load_time_zone

ArticleLanguage = Literal["ru", "kk", "en"]
TextLanguage = Literal["ru", "kk", "en", "ky", "uz", "tg"]
"""A language that is detected in texts (`text.language`)."""


class ConfigSection(BaseModel):
    """A part of the configuration. Unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False)


def validate_timezone(value: str) -> str:
    """Return the name of a time zone. Raise ValueError when there is no such time zone."""
    load_time_zone(value)
    return value


def expand_home(path: str | Path) -> Path:
    """Return a path with the home folder of a user in place of `~` or `~user`. Raise ValueError if there is none."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise ValueError(f"{Path(path).parts[0]} is the home folder of no user") from error


def get_validation_message(error: ErrorDetails) -> str:
    """Return the message of a pydantic error. That of a ValueError is its own text, without pydantic's prefix.

    Where a list is missing, it shows how to write one. An address is not shown.
    """
    if error["type"] in ("tuple_type", "list_type"):
        value = error["input"]
        is_secret = error["loc"][:1] == ("alarms",)
        return f'write a list: ["{value if isinstance(value, str) and "://" not in value and not is_secret else "…"}"]'
    return str(error["ctx"]["error"]) if error["type"] == "value_error" else error["msg"]


def format_input(value: object) -> str:
    """Return a value for an error message. An address is hidden, because it may contain a password."""
    written = repr(value)
    return "'…' (an address is not shown)" if "://" in written or "@" in written else written
