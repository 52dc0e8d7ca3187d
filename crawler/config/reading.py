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

from crawler.config.section import shown
from crawler.config.settings import NAME, PREFIX, Alarms, Config, Feeds, Limits, Politeness, SourceConfig
from crawler.config.subscriptions import Subscription
from crawler.errors import ConfigError, nearest

SECTIONS: dict[str, type[BaseModel]] = {
    "limits": Limits,
    "politeness": Politeness,
    "alarms": Alarms,
    "feeds": Feeds,
    "subscriptions": Subscription,
    "sources": SourceConfig,
}
"""What stands in each section of the file, or in each of its parts."""


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
    if path is not None:
        _from_its_folder(values, path.absolute().parent)
    try:
        return Config(**values, path=path.absolute() if path else None)
    except ValidationError as error:
        raise ConfigError(_explained(error, path, text)) from error
    except SettingsError as error:  # a variable for a whole section that is no JSON
        raise ConfigError(f"A variable {PREFIX}… cannot be used: {error}.") from error


def _from_its_folder(values: dict[str, Any], folder: Path) -> None:
    """Paths as a configuration means them: from the folder that its file stands in."""
    channels = values.get("channels")
    files = [each for each in channels.values() if isinstance(each, dict)] if isinstance(channels, dict) else []
    for section, name in [(values, name) for name in ("rules", "data_dir", "templates")] + [(f, "file") for f in files]:
        if isinstance(section.get(name), str):
            section[name] = str(folder / Path(section[name]).expanduser())


def _read(path: Path | None) -> tuple[str, dict[str, Any]]:
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
        raise ConfigError(f"{path}{_line(text, ['path'])}: there is no setting 'path'.")
    return text, values


def _refuse_unknown_variables() -> None:
    known = [PREFIX + name.upper() for name in Config.model_fields if name != "path"]
    sections = [PREFIX + name.upper() for name in (*SECTIONS, "channels")]
    for name in os.environ:
        first, below, _ = name.partition("__")
        if name.startswith(PREFIX) and first not in (sections if below else known):
            raise ConfigError(f"The variable {name} sets nothing{nearest(name, known) or '.'}")


def _explained(error: ValidationError, path: Path | None, text: str) -> str:
    first = error.errors()[0]
    if not first["loc"]:  # what only several settings together get wrong
        return f"{path or 'A variable'}: {first['msg'].removeprefix('Value error, ')}"
    keys = [str(part) for part in first["loc"]]
    dotted = ".".join("…" if "://" in key else key for key in keys)
    variable = PREFIX + "__".join(keys).upper()
    where = f"the variable {variable}" if variable in os.environ else f"{path}{_line(text, keys)}"
    if first["type"] == "extra_forbidden":
        return f"{where}: there is no setting {dotted!r}{nearest(keys[-1], _siblings(keys)) or '.'}"
    message = first["msg"].removeprefix("Value error, ")
    given = "" if keys[0] in ("alarms", "channels") else f" = {shown(first['input'])}"  # an address may hold a secret
    return f"{where}: {dotted}{given} cannot be used: {message}."


def _siblings(keys: list[str]) -> list[str]:
    model: type[BaseModel] = Config
    for key in keys[:-1]:
        model = SECTIONS.get(key, model)
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
