"""Patterns of addresses, such as `/{language}/news/{number}-*`, and what identifies the article at an address."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any
from urllib.parse import parse_qsl, quote, unquote

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, PlainSerializer
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from crawler.text.urls import PATH_CHARACTERS, split_url

ANY_PATH = "**"
"""A segment of a pattern that matches any number of segments."""
MAX_PATTERN_LENGTH = 300
MAX_VARIABLE_PARTS = 3
"""Placeholders and stars of one segment, and of one parameter: more of them make a match slow."""
MAX_ANY_PATHS = 2
MAX_SEGMENT_LENGTH = 1500
"""Characters of a segment of an address, in which a Cyrillic letter has six. A longer one is no article's."""
MAX_VARIED_SEGMENT_LENGTH = 400
"""The same for a pattern with `MAX_VARIABLE_PARTS` in a segment: the time of a match grows with their power."""
MAX_SEGMENTS = 40
PLACEHOLDERS = {
    "number": r"[0-9]{1,18}",
    "year": r"[12][0-9]{3}",
    "month": r"[0-9]{1,2}",
    "day": r"[0-9]{1,2}",
    "language": r"[A-Za-z]{2,3}",
}
"""What a placeholder of this name matches. Any other one matches what is neither `/` nor empty."""
LANGUAGES_IN_ADDRESSES = {
    **dict.fromkeys(("kz", "kaz", "qaz", "qz"), "kk"),
    **dict.fromkeys(("kg", "kir", "kyr"), "ky"),
    **dict.fromkeys(("tj", "tjk", "tgk"), "tg"),
    "rus": "ru",
    "eng": "en",
    "uzb": "uz",
}
"""Language codes as addresses write them, besides ISO 639-1."""
_VARIABLE_PART = re.compile(r"\{(\w+)\}|\*")


def read_language_code(written: str) -> str:
    """Return the ISO 639-1 code of a language as an address writes it: `kaz`, `kz` and `KK` are `kk`."""
    code = written.lower()
    return LANGUAGES_IN_ADDRESSES.get(code, code)


@dataclass(frozen=True)
class AddressPattern:
    """A path with placeholders and, after `?`, the parameters that matter: `/news.php?id={number}`.

    `*` matches any characters without `/`, the segment `**` for any number of segments. Parameters that the pattern
    does not have may be in the address and are ignored. An address matches with or without a final slash; the canonical
    one ends as the pattern does.
    """

    text: str

    def __post_init__(self) -> None:
        """Raise ValueError for a text that is no pattern."""
        if not self.text.startswith("/") or len(self.text) > MAX_PATTERN_LENGTH or not self.text.isprintable():
            raise ValueError(
                f"write the path of an address from its first /, such as /news/{{number}}, of at most "
                f"{MAX_PATTERN_LENGTH} characters"
            )
        path, _, query = self.text.partition("?")
        segments = path.split("/")
        if segments.count(ANY_PATH) > MAX_ANY_PATHS or any(
            ANY_PATH in segment and segment != ANY_PATH for segment in segments
        ):
            raise ValueError(f"** must be a whole segment, at most {MAX_ANY_PATHS} times: /news/**")
        if max(_count_variable_parts(part) for part in (*segments, *query.split("&"))) > MAX_VARIABLE_PARTS:
            raise ValueError(f"a segment may have at most {MAX_VARIABLE_PARTS} placeholders and stars")
        names = self.names
        if len(set(names)) < len(names):
            raise ValueError("a placeholder may be there once")
        if unusable := [name for name in names if not name.isidentifier()]:
            raise ValueError(f"{{{unusable[0]}}} is no placeholder: its name must begin with a letter")

    @property
    def names(self) -> list[str]:
        """The names of the placeholders."""
        return [found[1] for found in _VARIABLE_PART.finditer(self.text) if found[1]]

    @cached_property
    def _segments(self) -> list[re.Pattern[str] | None]:
        """A regular expression for each segment, None for `**`."""
        path = self.text.partition("?")[0].strip("/")
        return (
            [None if segment == ANY_PATH else _compile_part(segment, _escape_segment) for segment in path.split("/")]
            if path
            else []
        )

    @cached_property
    def _max_segment_length(self) -> int:
        most = max(map(_count_variable_parts, self.text.partition("?")[0].split("/")))
        return MAX_VARIED_SEGMENT_LENGTH if most == MAX_VARIABLE_PARTS else MAX_SEGMENT_LENGTH

    @cached_property
    def _parameters(self) -> dict[str, re.Pattern[str]]:
        query = self.text.partition("?")[2]
        pairs = (pair.partition("=") for pair in query.split("&") if pair)
        return {unquote(name): _compile_part(value, _escape_value) for name, _, value in pairs}

    def match(self, url: str) -> AddressMatch | None:
        """Return what the pattern finds in an address of any host, or None where it does not match."""
        _, path, query = split_url(url)
        segments = [segment for segment in path.split("/") if segment]
        if len(segments) > MAX_SEGMENTS or any(len(segment) > self._max_segment_length for segment in segments):
            return None
        values: dict[str, str] = {}
        if not _match_segments(self._segments, segments, values):
            return None
        given = dict(parse_qsl(query, keep_blank_values=True)) if self._parameters else {}
        kept = []
        for name, pattern in self._parameters.items():
            found = pattern.fullmatch(given.get(name, "")[: MAX_VARIED_SEGMENT_LENGTH + 1])
            if found is None or name not in given:
                return None
            values |= found.groupdict()
            kept.append(f"{quote(name)}={quote(given[name], safe='')}")
        slash = "/" if self.text.partition("?")[0].endswith("/") and not path.endswith("/") else ""
        return AddressMatch((path or "/").removesuffix("/") + slash or "/", "&".join(kept), values)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read a pattern from a string of TOML."""
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema())

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe a pattern in the JSON Schema."""
        return {"type": "string", "pattern": "^/", "maxLength": MAX_PATTERN_LENGTH}


AddressPatternField = Annotated[AddressPattern, PlainSerializer(lambda pattern: pattern.text)]


@dataclass(frozen=True, slots=True)
class AddressMatch:
    """The path and the parameters of an address that matter, and the values of the pattern's placeholders."""

    path: str
    query: str
    values: Mapping[str, str]

    @property
    def target(self) -> str:
        """The path with the parameters."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def language(self) -> str | None:
        """The language that the address names, or None."""
        written = self.values.get("language")
        return read_language_code(written) if written else None

    def make_identity(self, rule: str) -> str:
        """Return the article's id by an identity rule: `path`, or a text with placeholders such as `{number}`."""
        if rule == "path":
            return self.target.strip("/") or "/"
        return re.sub(r"\{(\w+)\}", lambda found: self.values[found[1]], rule)


def find_rule_problem(rule: str, patterns: tuple[AddressPattern, ...]) -> str | None:
    """Return why an identity rule cannot be used with these patterns, or None."""
    if rule == "path":
        return None
    names = set(re.findall(r"\{(\w+)\}", rule))
    if not names:
        return 'write "path", or placeholders of the addresses such as "{number}"'
    for pattern in patterns:
        if missing := names - set(pattern.names):
            return f"the address pattern {pattern.text} has no placeholder {{{min(missing)}}}"
    return None


def _count_variable_parts(part: str) -> int:
    return 0 if part == ANY_PATH else len(_VARIABLE_PART.findall(part))


def _compile_part(part: str, escape_literal: Callable[[str], str]) -> re.Pattern[str]:
    expression, end = "", 0
    for found in _VARIABLE_PART.finditer(part):
        expression += escape_literal(part[end : found.start()])
        name = found[1]
        expression += f"(?P<{name}>{PLACEHOLDERS.get(name, '[^/]+')})" if name else "[^/]*"
        end = found.end()
    return re.compile(expression + escape_literal(part[end:]))


def _escape_segment(text: str) -> str:
    """Return the expression of a text without placeholders, with percent signs as `split_url` writes them."""
    return re.escape(quote(text, safe=PATH_CHARACTERS))


def _escape_value(text: str) -> str:
    """Return the expression of a parameter's text without placeholders. `parse_qsl` has removed its percent signs."""
    return re.escape(unquote(text))


def _match_segments(patterns: list[re.Pattern[str] | None], segments: list[str], values: dict[str, str]) -> bool:
    """Return whether segments match, and add the values of placeholders."""
    if not patterns:
        return not segments
    first, *rest = patterns
    if first is None:
        return any(_match_segments(rest, segments[number:], values) for number in range(len(segments) + 1))
    found = first.fullmatch(segments[0]) if segments else None
    if found is None or not _match_segments(rest, segments[1:], values):
        return False
    values |= found.groupdict()
    return True
