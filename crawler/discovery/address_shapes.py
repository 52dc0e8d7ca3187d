"""The address pattern and the identity of a site's articles, inferred from examples of both kinds of pages."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from crawler.config.address_pattern import AddressPattern, read_language_code
from crawler.text.urls import split_url

KNOWN_LANGUAGES = frozenset("ru kk en ky uz tg".split())
MAX_PATTERNS = 6
MAX_EXCLUDED = 20
MIN_GROUP_SHARE = 0.15
"""Share of the examples that a shape must have to get a pattern of its own, where others have more."""
YEAR, SHORT_NUMBER, NUMBER = re.compile(r"(?:19|20)\d\d"), re.compile(r"\d{1,2}"), re.compile(r"\d{1,18}")
NUMBER_FIRST = re.compile(r"(?P<number>\d{2,18})(?P<mark>[-_])(?P<slug>.+)")
NUMBER_LAST = re.compile(r"(?P<slug>.+)(?P<mark>[-_])(?P<number>\d{2,18})")
NAMED_NUMBER = re.compile(r"(?P<slug>[A-Za-z]{1,12}[-_]?)(?P<number>\d{2,18})")
SUFFIX = re.compile(r"\.(?:pdf|html?|php|aspx?|jsp|shtml)$", re.IGNORECASE)
TRACKING = re.compile(r"^(?:utm_\w+|fbclid|gclid|yclid|from|ref|amp|_\w*|page|PAGEN_\d+)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AddressShape:
    """Patterns of articles' addresses, patterns that are none, and the identity rule."""

    patterns: tuple[str, ...]
    exclude: tuple[str, ...]
    identity: str


def infer_address_shape(articles: Sequence[str], others: Iterable[str] = ()) -> AddressShape:
    """Return the shape of articles' addresses. `others` are addresses of pages that are no articles."""
    groups: defaultdict[tuple[object, ...], list[str]] = defaultdict(list)
    for url in dict.fromkeys(articles):
        path, names = _split_path(url), _list_parameter_names(url)
        suffix = SUFFIX.search(path[-1]) if path else None
        groups[(len(path), tuple(sorted(names)), suffix[0].lower() if suffix else "")].append(url)
    largest = max(map(len, groups.values()), default=0)
    kept = sorted((g for g in groups.values() if len(g) >= MIN_GROUP_SHARE * largest), key=len, reverse=True)
    made = (_compile_pattern(_make_pattern(group)) for group in kept[:MAX_PATTERNS])
    compiled = tuple(dict.fromkeys(pattern for pattern in made if pattern is not None))
    exclude = [
        literal
        for url in dict.fromkeys(others)
        if any(each.match(url) for each in compiled) and url not in articles and (literal := _make_literal(url))
    ]
    return AddressShape(
        tuple(each.text for each in compiled),
        tuple(dict.fromkeys(exclude))[:MAX_EXCLUDED],
        _choose_identity(compiled, articles),
    )


def _compile_pattern(text: str) -> AddressPattern | None:
    """Return a pattern, or None for addresses that no pattern can describe: very long ones, or with control marks."""
    try:
        return AddressPattern(text)
    except ValueError:
        return None


def _split_path(url: str) -> list[str]:
    return [part for part in urlsplit(url).path.split("/") if part]


def _list_parameter_names(url: str) -> list[str]:
    return [name for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True) if not TRACKING.match(name)]


def _make_pattern(urls: Sequence[str]) -> str:
    """Return the pattern of addresses with the same number of segments and the same parameters."""
    paths = [[unquote(part) for part in _split_path(url)] for url in urls]
    used: Counter[str] = Counter()
    length = len(paths[0])
    parts = [
        _make_segment([path[index] for path in paths], used, is_last=index == length - 1, is_first=index == 0)
        for index in range(length)
    ]
    with_slash = sum(urlsplit(url).path.endswith("/") for url in urls) * 2 > len(urls)
    query = _make_query(urls, used)
    text = "/" + "/".join(parts) + ("/" if with_slash and parts else "")
    return f"{text}?{query}" if query else text


def _make_query(urls: Sequence[str], used: Counter[str]) -> str:
    """Return the parameters that all addresses have, and that tell articles apart or never change."""
    given = [dict(parse_qsl(urlsplit(url).query, keep_blank_values=True)) for url in urls]
    parts = []
    for name in given[0]:
        values = [each[name] for each in given if name in each]
        if TRACKING.match(name) or len(values) < len(given):
            continue
        if len(set(values)) == 1 and len(urls) > 1:
            parts.append(f"{quote(name)}={quote(values[0], safe='')}")
        elif all(NUMBER.fullmatch(value) for value in values):
            parts.append(f"{quote(name)}={_name_part('number', used)}")
        else:
            parts.append(f"{quote(name)}=*")
    return "&".join(parts)


def _make_segment(values: Sequence[str], used: Counter[str], *, is_last: bool, is_first: bool) -> str:
    codes = {read_language_code(value) for value in values}
    if is_first and codes <= KNOWN_LANGUAGES and not used["language"]:
        return _name_part("language", used)
    if all(YEAR.fullmatch(value) for value in values) and not is_last:
        return _name_part("year", used)
    if used["year"] and all(SHORT_NUMBER.fullmatch(value) for value in values) and not is_last and not used["day"]:
        return _name_part("day" if used["month"] else "month", used)
    if all(NUMBER.fullmatch(value) for value in values):
        return _name_part("number", used)
    is_script = is_last and bool(SUFFIX.search(values[0])) and len(values) > 1  # the parameters tell articles apart
    if (not is_last or is_script) and len(set(values)) == 1:
        return _write_literal(values[0])
    if not is_last:
        return _name_part("section", used)
    suffixes = {found[0] if (found := SUFFIX.search(value)) else "" for value in values}
    suffix = suffixes.pop() if len(suffixes) == 1 else ""
    stems = [value.removesuffix(suffix) for value in values]
    return _make_last_segment(stems, used) + _write_literal(suffix)


def _make_last_segment(stems: Sequence[str], used: Counter[str]) -> str:
    """Return the pattern of the last part of a path without its suffix: a number, a number and words, or words."""
    if all(NUMBER.fullmatch(stem) for stem in stems):
        return _name_part("number", used)
    for pattern, form in (
        (NUMBER_FIRST, "{number}{mark}*"),
        (NUMBER_LAST, "*{mark}{number}"),
        (NAMED_NUMBER, "*{number}"),
    ):
        found = [pattern.fullmatch(stem) for stem in stems]
        matches = [each for each in found if each]
        marks = {each.groupdict().get("mark") or "" for each in matches}
        if len(matches) < len(stems) or len(marks) != 1 or used["number"]:
            continue
        words = {each["slug"] for each in matches}
        if pattern is NAMED_NUMBER and len(words) == 1:
            return _write_literal(words.pop()) + _name_part("number", used)
        if pattern is not NAMED_NUMBER:
            return form.replace("{mark}", marks.pop()).replace("{number}", _name_part("number", used))
    if len(stems) > 1 and all("-" in stem.strip("-") for stem in stems):
        return "*-*"
    return _name_part("slug", used)


def _name_part(name: str, used: Counter[str]) -> str:
    used[name] += 1
    return f"{{{name}}}" if used[name] == 1 else "*"


def _write_literal(text: str) -> str:
    """Return a text of an address in which nothing is a placeholder."""
    return text.translate({ord(mark): quote(mark, safe="") for mark in "*{}?#%"})


def _make_literal(url: str) -> str | None:
    """Return the pattern that matches one address, or None for the front page."""
    path = "/".join(_write_literal(unquote(part)) for part in _split_path(url))
    return f"/{path}" if path and not urlsplit(url).query and _compile_pattern(f"/{path}") else None


def _choose_identity(patterns: Sequence[AddressPattern], articles: Sequence[str]) -> str:
    """Return `{number}` where every address has its own number, else `path`."""
    if not patterns or any("number" not in pattern.names for pattern in patterns):
        return "path"
    numbers: defaultdict[str, set[str]] = defaultdict(set)
    for url in articles:
        found = next((match for pattern in patterns if (match := pattern.match(url))), None)
        if found is not None:
            _, path, query = split_url(url)
            language = found.values.get("language", "")
            numbers[found.values["number"]].add(
                f"{path.replace(f'/{language}/', '/', 1) if language else path}?{query}"
            )
    is_own = bool(numbers) and all(len(paths) == 1 for paths in numbers.values())
    return "{number}" if is_own and max(map(len, numbers)) >= 2 else "path"
