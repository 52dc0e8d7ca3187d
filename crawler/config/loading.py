"""The configuration file and the variables, read and checked; an error names file and line, and the nearest word."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import BaseModel, ValidationError
from pydantic_settings import SettingsError

from crawler.config.base import format_input
from crawler.config.model import (
    CONFIG_FILE_NAME,
    VARIABLE_PREFIX,
    AlarmsConfig,
    Config,
    FeedsConfig,
    LimitsConfig,
    PolitenessConfig,
    SourceConfig,
)
from crawler.config.subscriptions import Subscription
from crawler.errors import ConfigError, suggest_nearest

SECTION_MODELS: dict[str, type[BaseModel]] = {
    "limits": LimitsConfig,
    "politeness": PolitenessConfig,
    "alarms": AlarmsConfig,
    "feeds": FeedsConfig,
    "subscriptions": Subscription,
    "sources": SourceConfig,
}
"""What stands in each section of the file, or in each of its parts."""


def find_config_file(explicit_path: Path | None = None) -> Path | None:
    """The configuration file in force, None for built-in values; ConfigError when the one given is missing."""
    if explicit_path is not None:
        if not explicit_path.is_file():
            raise ConfigError(f"The configuration file {explicit_path} does not exist. Write one with `crawler init`.")
        return explicit_path
    user = platformdirs.user_config_path("crawler", appauthor=False) / CONFIG_FILE_NAME
    return next((path for path in (Path(CONFIG_FILE_NAME), user) if path.is_file()), None)


def load_config(explicit_path: Path | None = None) -> Config:
    """The configuration in force; ConfigError names file and line, or the variable, and the nearest valid word."""
    path = find_config_file(explicit_path)
    text, values = _read_file(path)
    _raise_if_unknown_variable()
    if path is not None:
        _resolve_paths(values, path.absolute().parent)
    try:
        return Config(**values, path=path.absolute() if path else None)
    except ValidationError as error:
        raise ConfigError(_format_error(error, path, text)) from error
    except SettingsError as error:  # a variable for a whole section that is no JSON
        raise ConfigError(f"A variable {VARIABLE_PREFIX}… cannot be used: {error}.") from error


def _resolve_paths(values: dict[str, Any], folder: Path) -> None:
    """Paths as a configuration means them: from the folder that its file stands in."""
    channels = values.get("channels")
    files = [each for each in channels.values() if isinstance(each, dict)] if isinstance(channels, dict) else []
    for section, name in [(values, name) for name in ("rules", "data_dir", "templates")] + [(f, "file") for f in files]:
        if isinstance(section.get(name), str):
            section[name] = str(folder / Path(section[name]).expanduser())


def _read_file(path: Path | None) -> tuple[str, dict[str, Any]]:
    if path is None:
        return "", {}
    try:
        text = path.read_text(encoding="utf-8")
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}.") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    if "path" in values:  # the one field of Config that is no setting
        raise ConfigError(f"{path}{_find_line(text, ['path'])}: there is no setting 'path'.")
    return text, values


def _raise_if_unknown_variable() -> None:
    known = [VARIABLE_PREFIX + name.upper() for name in Config.model_fields if name != "path"]
    sections = [VARIABLE_PREFIX + name.upper() for name in (*SECTION_MODELS, "channels")]
    for name in os.environ:
        first, below, _ = name.partition("__")
        if name.startswith(VARIABLE_PREFIX) and first not in (sections if below else known):
            raise ConfigError(f"The variable {name} sets nothing{suggest_nearest(name, known) or '.'}")


def _format_error(error: ValidationError, path: Path | None, text: str) -> str:
    first = error.errors()[0]
    if not first["loc"]:  # what only several settings together get wrong
        return f"{path or 'A variable'}: {first['msg'].removeprefix('Value error, ')}"
    keys = [str(part) for part in first["loc"]]
    dotted = ".".join("…" if "://" in key else key for key in keys)
    variable = VARIABLE_PREFIX + "__".join(keys).upper()
    where = f"the variable {variable}" if variable in os.environ else f"{path}{_find_line(text, keys)}"
    if first["type"] == "extra_forbidden":
        return f"{where}: there is no setting {dotted!r}{suggest_nearest(keys[-1], _list_sibling_keys(keys)) or '.'}"
    message = first["msg"].removeprefix("Value error, ")
    given = (
        "" if keys[0] in ("alarms", "channels") else f" = {format_input(first['input'])}"
    )  # an address may hold a secret
    return f"{where}: {dotted}{given} cannot be used: {message}."


def _list_sibling_keys(keys: list[str]) -> list[str]:
    model: type[BaseModel] = Config
    for key in keys[:-1]:
        model = SECTION_MODELS.get(key, model)
    return [name for name in model.model_fields if name != "path"]


def _find_line(text: str, keys: list[str]) -> str:
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
