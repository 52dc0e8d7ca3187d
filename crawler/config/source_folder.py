"""The folder `sources/` beside `crawler.toml`: one file a source. A broken file is one sentence and breaks no other."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs
from pydantic import ValidationError

from crawler.config.base import format_input, get_validation_message
from crawler.config.toml_file import format_location, list_known_keys, parse_toml
from crawler.errors import DefinitionError, suggest_nearest

if TYPE_CHECKING:
    from crawler.config.source_definition import SourceDefinition

FOLDER_NAME, SNAPSHOTS_NAME = "sources", "snapshots"
SUFFIX, MEMORY_SUFFIX = ".toml", ".memory.json"
MAX_FILE_BYTES = 256 * 1024
SOURCE_NAME_PATTERN = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_NAME = rf"(?P<name>{SOURCE_NAME_PATTERN.pattern})"
SOURCE_FILES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"sources/{_NAME}\.toml",
        rf"sources/{_NAME}\.memory\.json",
        rf"snapshots/{_NAME}/[A-Za-z0-9\w][\w.-]{{0,150}}\.(?:html|xml|json|txt|pdf)",
    )
)
"""The paths that files of sources without code have beside crawler.toml."""


@dataclass
class SourcesFolder:
    """The folder that this process reads: each `load_config` sets it."""

    path: Path | None = None


current_folder = SourcesFolder()


def find_sources_folder(config_file: Path | None) -> Path:
    """Return the folder of source definitions: beside the configuration file, or in the user's configuration folder."""
    if config_file is not None:
        return config_file.absolute().parent / FOLDER_NAME
    return platformdirs.user_config_path("crawler", appauthor=False) / FOLDER_NAME


def get_sources_folder() -> Path:
    """Return the folder in force: that of the configuration that was read last, or of the one that would be found."""
    if current_folder.path is None:
        from crawler.config.loading import find_config_file

        current_folder.path = find_sources_folder(find_config_file())
    return current_folder.path


def get_snapshots_folder(folder: Path | None = None) -> Path:
    """Return the folder of the snapshots of sources without code: beside that of their definitions."""
    return (folder or get_sources_folder()).parent / SNAPSHOTS_NAME


def get_memory_path(name: str, folder: Path | None = None) -> Path:
    """Return the file beside a definition with what was learned of the site's pages."""
    return (folder or get_sources_folder()) / f"{name}{MEMORY_SUFFIX}"


def list_definition_files(folder: Path | None = None) -> dict[str, Path]:
    """Return the files of the folder that are named like a source, by its name, usable or not."""
    try:
        files = sorted((folder or get_sources_folder()).iterdir())
    except OSError:
        return {}
    return {file.stem: file for file in files if file.suffix == SUFFIX and SOURCE_NAME_PATTERN.fullmatch(file.stem)}


def list_misnamed_files(folder: Path | None = None) -> list[Path]:
    """Return the files of the folder that end as definitions do and whose name no source can have."""
    try:
        files = sorted((folder or get_sources_folder()).glob(f"*{SUFFIX}"))
    except OSError:
        return []
    return [file for file in files if file.name[0] != "." and not SOURCE_NAME_PATTERN.fullmatch(file.stem)]


def find_file_source(inner: str) -> str | None:
    """Return the source to which a path beside crawler.toml belongs, such as `sources/herald.toml`, or None."""
    found = next((match for pattern in SOURCE_FILES if (match := pattern.fullmatch(inner))), None)
    return found["name"] if found else None


def list_source_files(names: Iterable[str], folder: Path | None = None) -> dict[str, Path]:
    """Return definition, memory and sample pages of sources by their paths beside crawler.toml."""
    files: dict[str, Path] = {}
    for name in names:
        memory, samples = get_memory_path(name, folder), get_snapshots_folder(folder) / name
        files[f"{FOLDER_NAME}/{name}{SUFFIX}"] = (folder or get_sources_folder()) / f"{name}{SUFFIX}"
        files[f"{FOLDER_NAME}/{memory.name}"] = memory
        files |= {f"{SNAPSHOTS_NAME}/{name}/{path.name}": path for path in sorted(samples.glob("*"))}
    return {inner: path for inner, path in files.items() if path.is_file() and find_file_source(inner)}


def find_definition(name: str, folder: Path | None = None) -> SourceDefinition | None:
    """Return the definition of a source, None if no file has its name. Raise DefinitionError for a broken one."""
    path = (folder or get_sources_folder()) / f"{name}{SUFFIX}"
    if not SOURCE_NAME_PATTERN.fullmatch(name) or not path.is_file():
        return None
    return load_definition(path)


def load_definition(path: Path) -> SourceDefinition:
    """Return the definition in a file. Raise DefinitionError, which names file and line, when it cannot be used."""
    try:
        state = path.stat()
    except OSError as error:
        raise DefinitionError(f"{path} cannot be read: {error.strerror}.") from error
    return _load_unchanged(path, state.st_mtime_ns, state.st_size, state.st_ino)


@lru_cache(maxsize=256)
def _load_unchanged(path: Path, modified: int, size: int, inode: int) -> SourceDefinition:
    if size > MAX_FILE_BYTES:
        raise DefinitionError(f"{path} has more than {MAX_FILE_BYTES // 1024} KB: it is no source definition.")
    return parse_definition(read_definition_text(path), str(path))


def read_definition_text(path: Path) -> str:
    """Return the text of a definition. Raise DefinitionError when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DefinitionError(f"{path}: not valid TOML: {error}. Save it as UTF-8.") from error
    except OSError as error:
        raise DefinitionError(f"{path} cannot be read: {error.strerror}.") from error


def parse_definition(text: str, name: str) -> SourceDefinition:
    """Return the definition in a text of TOML. `name` is the file's. Raise DefinitionError when it cannot be used."""
    from crawler.config.source_definition import DEFAULT_PLATFORM, DEFINITIONS  # 0.02 s that few commands need

    values = parse_toml(text, name, DefinitionError)
    platform = values.get("platform", DEFAULT_PLATFORM)
    model = DEFINITIONS.get(platform) if isinstance(platform, str) else None
    if model is None:
        where = format_location(name, text, ("platform",))
        hint = suggest_nearest(str(platform), DEFINITIONS) or "."
        known = ", ".join(sorted(DEFINITIONS))
        raise DefinitionError(f"{where}: there is no platform {format_input(platform)}{hint} Known ones: {known}.")
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise DefinitionError(_format_error(error, model, name, text)) from error


def _format_error(error: ValidationError, model: type[SourceDefinition], name: str, text: str) -> str:
    first = error.errors()[0]
    keys = first["loc"]
    where = format_location(name, text, keys) if keys else name
    dotted = ".".join(map(str, keys))
    if first["type"] == "extra_forbidden":
        hint = suggest_nearest(str(keys[-1]), list_known_keys(model, keys)) or "."
        return f"{where}: there is no setting {dotted!r}{hint}"
    if first["type"] == "missing":
        return f"{where}: the setting {dotted!r} is missing."
    message = get_validation_message(first)
    return f"{where}: {dotted}: {message}." if dotted else f"{where}: {message}."


def apply_definitions(values: dict[str, Any], folder: Path) -> None:
    """Let what definitions say about their schedules hold where the values of the configuration file say nothing."""
    sources, files = values.setdefault("sources", {}), list_definition_files(folder)
    if not files or not isinstance(sources, dict):
        return
    from crawler.config.source_definition import AUTO_CRON

    for name, path in files.items():
        try:
            definition = load_definition(path)
        except DefinitionError:
            continue  # reported by what lists or loads the source
        defaults: dict[str, Any] = {"cron": definition.cron} if definition.cron == AUTO_CRON else {}
        if not definition.enabled or definition.retired:
            defaults["enabled"] = False
        table = sources.get(name, {})
        if defaults and isinstance(table, dict):
            sources[name] = defaults | table


def get_folder_state(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Return name, time and size of each definition, which change when a definition does."""
    found = []
    for name, path in list_definition_files(folder).items():
        try:
            state = path.stat()
        except OSError:
            continue
        found.append((name, state.st_mtime_ns, state.st_size))
    return tuple(found)
