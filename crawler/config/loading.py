"""Read `crawler.toml` and the `CRAWLER_*` variables. An error names file and line, or the variable."""

from __future__ import annotations

import logging
import os
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import ValidationError
from pydantic_settings import SettingsError

from crawler.config.base import expand_home, format_input, get_validation_message
from crawler.config.model import CONFIG_FILE_NAME, VARIABLE_PREFIX, Config
from crawler.config.proxy import has_password
from crawler.config.source_folder import apply_definitions, current_folder, find_sources_folder
from crawler.config.toml_file import find_toml_line, format_location, is_section, list_known_keys, parse_toml
from crawler.errors import ConfigError, suggest_nearest
from crawler.private_files import is_open_to_others

NO_SETTING = "path"
"""The one field of Config that is not a setting."""
SECRET_SECTIONS = ("alarms", "channels")
HEARTBEAT_SETTING = "heartbeat_url"
SECRET_KEYS = ("proxy", HEARTBEAT_SETTING, "client_secret")
"""Sections and keys whose values are never shown, because an address may contain a password."""
PATH_SETTINGS = (("rules",), ("data_dir",), ("templates",), ("review", "logo"), ("review", "template"))
CLIENT_SECRET_PATH = ("web", "oidc", "client_secret")
PASSWORD_PATTERN = re.compile(r"://[^/@]*:[^/@]+@|[?&]password=", re.IGNORECASE)
"""A password in an address."""
log = logging.getLogger(__name__)
_warned: set[str] = set()
"""What this process has warned of: a process may load the configuration often."""


def find_config_file(explicit_path: Path | None = None) -> Path | None:
    """Return the configuration file in force, or None for built-in values.

    Raise ConfigError when `explicit_path` does not exist.
    """
    if explicit_path is not None:
        if not explicit_path.exists():
            raise ConfigError(f"The configuration file {explicit_path} does not exist. Write one with `crawler init`.")
        return explicit_path
    user = platformdirs.user_config_path("crawler", appauthor=False) / CONFIG_FILE_NAME
    return next((path for path in (Path(CONFIG_FILE_NAME), user) if path.is_file()), None)


def load_config(explicit_path: Path | None = None) -> Config:
    """Return the configuration in force.

    Raise ConfigError with file and line, or the variable, and the nearest known setting. Log a warning, once, for each
    file with addresses of channels that every user may read.
    """
    path = find_config_file(explicit_path)
    text, values = _read_file(path)
    _raise_if_unknown_variable()
    if path is not None:
        _raise_if_nul(values, path, text)
        _raise_if_proxy_password(values, path, text)
        _raise_if_client_secret(values, path, text)
        _resolve_paths(values, path, text)
    current_folder.path = find_sources_folder(path)
    apply_definitions(values, current_folder.path)
    try:
        config = Config(**values, path=path.absolute() if path else None)
    except ValidationError as error:
        raise ConfigError(_format_error(error, path, text)) from error
    except SettingsError as error:  # a variable for a whole section that is not JSON
        raise ConfigError(
            f"A variable {VARIABLE_PREFIX}… cannot be used: {error}. Write a whole section as JSON, or one setting "
            f"with two underscores between levels: {VARIABLE_PREFIX}LIMITS__BODY_MB."
        ) from error
    for warning in _list_warnings(path, values):
        if warning not in _warned:
            _warned.add(warning)
            log.warning("%s", warning)
    return config


def list_config_warnings(explicit_path: Path | None = None) -> list[str]:
    """Return a sentence for each file with addresses of channels or passwords that every user may read.

    These are the configuration in force and the files that its channels name.
    """
    path = find_config_file(explicit_path)
    text, values = _read_file(path)
    if path is not None:
        _resolve_paths(values, path, text)
    return list(_list_warnings(path, values))


def _list_warnings(path: Path | None, values: dict[str, Any]) -> Iterator[str]:
    files = [Path(channel["file"]) for channel in _list_channel_tables(values) if isinstance(channel.get("file"), str)]
    if path is not None and _has_secret(values):
        files.append(path.absolute())
    for file in dict.fromkeys(files):
        if is_open_to_others(file):
            yield (
                f"Every user of this machine can read {file}, which has addresses of channels or passwords. "
                f"Run `chmod 600 {shlex.quote(str(file))}`."
            )


def _has_secret(values: dict[str, Any]) -> bool:
    """Return whether the values of a file have an address in a section of secrets, or an address with a password."""

    def find(value: object, is_secret: bool) -> bool:
        if isinstance(value, dict):
            return any(find(each, is_secret) for each in value.values())
        if isinstance(value, list):
            return any(find(each, is_secret) for each in value)
        return isinstance(value, str) and bool(("://" in value) if is_secret else PASSWORD_PATTERN.search(value))

    return any(find(value, key in SECRET_SECTIONS) for key, value in values.items())


def _list_channel_tables(values: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the channels of a file that are tables: their addresses are in other files."""
    return [each for each in _get_table(values, ("channels",)).values() if isinstance(each, dict)]


def list_variables() -> list[str]:
    """Return the names of the `CRAWLER_*` variables in the environment, in whatever case they are written."""
    return sorted(name for name in os.environ if name.upper().startswith(VARIABLE_PREFIX))


def _raise_if_nul(values: dict[str, Any], path: Path, text: str) -> None:
    """Raise ConfigError for a text with a NUL character: no file, address or header can have one."""

    def find(value: object, keys: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
        if isinstance(value, str) and "\0" in value:
            yield keys
        for key, each in (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        ):
            yield from find(each, (*keys, key))

    for keys in find(values, ()):
        where = format_location(str(path), text, keys)
        raise ConfigError(f"{where}: {'.'.join(map(str, keys))} has a NUL character (\\u0000). Remove it.")


def _raise_if_proxy_password(values: dict[str, Any], path: Path, text: str) -> None:
    """Raise ConfigError for a proxy with a user name or a password in the file, which backups and others may read."""
    sources = (("sources", name) for name in _get_table(values, ("sources",)))
    for keys in ((), *sources):
        proxy = _get_table(values, keys).get("proxy")
        if isinstance(proxy, str) and has_password(proxy):
            where = format_location(str(path), text, (*keys, "proxy"))
            variable = VARIABLE_PREFIX + "__".join((*keys, "proxy")).upper()
            raise ConfigError(
                f"{where}: {'.'.join((*keys, 'proxy'))} must have no user name or password in this file: set the "
                f"variable {variable} to the whole address."
            )


def _get_table(values: dict[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    """Return the table under these keys, an empty one if there is none."""
    table: Any = values
    for key in keys:
        table = table.get(key) if isinstance(table, dict) else None
    return table if isinstance(table, dict) else {}


def _raise_if_client_secret(values: dict[str, Any], path: Path, text: str) -> None:
    """Raise ConfigError for a secret of OpenID Connect in the file, which backups and others may read."""
    if CLIENT_SECRET_PATH[-1] in _get_table(values, CLIENT_SECRET_PATH[:-1]):
        where = format_location(str(path), text, CLIENT_SECRET_PATH)
        variable = VARIABLE_PREFIX + "__".join(CLIENT_SECRET_PATH).upper()
        raise ConfigError(f"{where}: the secret must not be in this file: set the variable {variable} to it.")


def _resolve_paths(values: dict[str, Any], path: Path, text: str) -> None:
    """Make paths in the file absolute: they are relative to the folder of the file. Raise ConfigError for `~nobody`."""
    files = [("channels", name, "file") for name in _get_table(values, ("channels",))]
    for keys in (*PATH_SETTINGS, *files):
        table = _get_table(values, keys[:-1])
        if not isinstance(table.get(keys[-1]), str):
            continue
        try:
            table[keys[-1]] = str(path.absolute().parent / expand_home(table[keys[-1]]))
        except ValueError as error:
            where = format_location(str(path), text, keys)
            raise ConfigError(f"{where}: {'.'.join(keys)} cannot be used: {error}.") from error


def _read_file(path: Path | None) -> tuple[str, dict[str, Any]]:
    if path is None:
        return "", {}
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}. Save it as UTF-8.") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    values = parse_toml(text, str(path), ConfigError)
    if NO_SETTING in values:
        raise ConfigError(f"{format_location(str(path), text, (NO_SETTING,))}: there is no setting {NO_SETTING!r}.")
    return text, values


def _raise_if_unknown_variable() -> None:
    settings = [name for name in Config.model_fields if name != NO_SETTING]
    known = [VARIABLE_PREFIX + name.upper() for name in settings]
    sections = [VARIABLE_PREFIX + name.upper() for name in settings if is_section(Config, name)]
    for variable in list_variables():
        first, below, _ = variable.partition("__")
        if first not in (sections if below else known):
            raise ConfigError(f"The variable {variable} sets nothing{suggest_nearest(variable.upper(), known) or '.'}")


def _format_error(error: ValidationError, path: Path | None, text: str) -> str:
    first = error.errors()[0]
    message = get_validation_message(first)
    keys = first["loc"]
    if not keys:  # a mistake in several settings together
        return f"{_format_place(first.get('ctx', {}).get('key_path', ()), path, text)}: {message}"
    dotted = ".".join("…" if "://" in str(key) else str(key) for key in keys)
    where = _format_place(keys, path, text)
    if first["type"] == "extra_forbidden":
        known = [name for name in list_known_keys(Config, keys) if name != NO_SETTING]
        return f"{where}: there is no setting {dotted!r}{suggest_nearest(str(keys[-1]), known) or '.'}"
    is_secret = keys[0] in SECRET_SECTIONS or keys[-1] in SECRET_KEYS
    value = "" if is_secret else f" = {format_input(first['input'])}"
    return f"{where}: {dotted}{value} cannot be used: {message}."


def _format_place(keys: tuple[str | int, ...], path: Path | None, text: str) -> str:
    """Return the variable that sets a key, else file and line. A variable outranks the file."""
    variable = VARIABLE_PREFIX + "__".join(map(str, keys)).upper()
    if variable in os.environ:
        return f"the variable {variable}"
    if find_toml_line(text, keys) is None:
        while "__" in variable:  # a variable for a whole section
            variable = variable.rpartition("__")[0]
            if variable in os.environ:
                return f"the variable {variable}"
    return format_location(str(path), text, keys) if path else "a variable"
