"""Errors in TOML files: the line of a key, and the keys that a model knows. For `crawler.toml` and rule files."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel

from crawler.errors import UsageError

KeyPath = tuple[str | int, ...]
"""Keys from the top of the file, with the number of an entry in an array of tables: ("rule", 0, "terms", "en")."""

BYTE_ORDER_MARK = "\ufeff"
"""What some editors write before a text."""
_KEY = r"""(?:[\w-]+|"[^"]*"|'[^']*')"""
_DOTTED_KEY = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_HEADER_LINE = re.compile(rf"\s*\[(\[?)\s*({_DOTTED_KEY})\s*\]\]?\s*(?:#.*)?$")
_TOML_PLACE = re.compile(r"(.*) \(at line (\d+), column (\d+)\)")
_KEY_LINE = re.compile(rf"\s*({_DOTTED_KEY})\s*=")


def parse_toml(text: str, name: str, error_class: type[UsageError]) -> dict[str, Any]:
    """Return the values of a text of TOML. The error names the file."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise error_class(_format_toml_error(text, name, str(error))) from error
    except ValueError as error:  # a number of thousands of digits
        raise error_class(f"{name}: not valid TOML: a number is too long.") from error
    except RecursionError as error:
        raise error_class(f"{name}: not valid TOML: its arrays are nested too deeply.") from error


def _format_toml_error(text: str, name: str, message: str) -> str:
    """Return tomllib's message with its place as `file:line`, and what to do about a text without quotation marks."""
    place = _TOML_PLACE.fullmatch(message)
    if place is None:
        return f"{name}: not valid TOML: {message}."
    line, column = int(place[2]), int(place[3])
    if text.startswith(BYTE_ORDER_MARK):
        return f"{name}:1: not valid TOML: it begins with a byte order mark. Save it as UTF-8 without BOM."
    rest = text.split("\n")[line - 1][column - 1 :].strip()
    hint = " Put the text in quotation marks." if place[1] == "Invalid value" and rest else ""
    return f"{name}:{line}: not valid TOML: {place[1]} (column {column}).{hint}"


def format_location(name: str, text: str, key_path: KeyPath) -> str:
    """Return file and line of a key ("rules.toml:12"), or the file alone when the text does not contain it."""
    line = find_toml_line(text, key_path)
    return name if line is None else f"{name}:{line}"


def find_toml_line(text: str, key_path: KeyPath) -> int | None:
    """Return the line of the key, else of the innermost table or key around it, else None.

    The last part of the path may be a string in an array. Then the line is the one with the string.
    """
    best, best_line, next_line = 0, 0, 0
    for number, path in _iterate_key_paths(text):
        shared = min(len(path), len(key_path))  # a dotted key may be longer than the path of the error
        if best < shared and path[:shared] == key_path[:shared]:
            best, best_line, next_line = shared, number, 0
        elif best and not next_line:
            next_line = number
    if not best:
        return None
    if best < len(key_path) and isinstance(value := key_path[-1], str):
        lines = text.splitlines()[best_line - 1 : next_line - 1 if next_line else None]
        quoted = re.compile(rf"([\"']){re.escape(value)}\1")
        return best_line + next((index for index, line in enumerate(lines) if quoted.search(line)), 0)
    return best_line


def _iterate_key_paths(text: str) -> Iterator[tuple[int, KeyPath]]:
    """Yield line number and path of each table header and key."""
    table: KeyPath = ()
    last_entries: dict[KeyPath, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER_LINE.match(line):
            table = ()
            *outer, name = _split_key(header[2])
            for key in outer:
                table = (*table, key)
                if table in last_entries:
                    table = (*table, last_entries[table])
            table = (*table, name)
            if header[1]:
                last_entries[table] = last_entries.get(table, -1) + 1
                table = (*table, last_entries[table])
            yield number, table
        elif key_line := _KEY_LINE.match(line):
            yield number, (*table, *_split_key(key_line[1]))


def _split_key(dotted: str) -> list[str]:
    return [key.strip("\"'") for key in re.findall(_KEY, dotted)]


def list_known_keys(model: type[BaseModel], key_path: KeyPath) -> list[str]:
    """Return the keys that may be beside the last key of the path."""
    for key in key_path[:-1]:
        field = model.model_fields.get(str(key))
        model = _find_nested_model(field.annotation) or model if field else model
    return list(model.model_fields)


def is_section(model: type[BaseModel], name: str) -> bool:
    """Return whether a field of the model is a table of its own: a model, or a dict."""
    annotation = model.model_fields[name].annotation
    return _find_nested_model(annotation) is not None or getattr(annotation, "__origin__", None) is dict


def _find_nested_model(annotation: Any) -> type[BaseModel] | None:
    """Return the model that a field holds, alone or in a tuple, dict or union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_find_nested_model, get_args(annotation))), None)
