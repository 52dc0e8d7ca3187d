"""The publication date of an article: only what the page, its data or its address states as a text."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from lxml import etree

from crawler.generic.month_words import get_month_number
from crawler.generic.page import GenericPage
from crawler.generic.page_lines import PageLine, list_words
from crawler.items import Precision
from crawler.text.dates import parse_date

META_FIELDS = (
    *("article:published_time", "og:article:published_time", "datepublished", "og:published_time", "parsely-pub-date"),
    *(
        "sailthru.date",
        "pubdate",
        "publishdate",
        "publish-date",
        "publish_date",
        "published_time",
        "article_date_original",
    ),
    *("cxenseparse:recs:publishtime", "date.issued", "dc.date.issued", "dcterms.created", "dc.date.created", "dc.date"),
    *("dcterms.date", "datecreated", "date", "article.published", "published-date", "originalpublicationdate"),
)
"""Names of `meta` elements for the day of publication, the most reliable first."""
MAX_DATE_LINE_LENGTH = 60
MIN_DATE_SHARE = 0.7
MIN_YEAR, MAX_YEAR = 1990, 2100
MAX_DATE_WORDS = 25
"""Words of a line that is about its date. A longer line may only begin with one."""
MAX_DATELINE_POSITION = 60
"""Characters before a date in the first line of a text: the place."""
MAX_LIST_DATES = 3
"""Different dates at one place of the markup from which it is a list of other articles."""
MAX_COMPARED_DATES = 3
LINES_BEFORE_TITLE, LINES_AFTER_TITLE = 8, 25
MAX_HEADING_DISTANCE = 400
"""Characters between the heading and a `time` element, beyond which it may be that of another article in a list."""
FRAME_TAGS = ("header", "nav", "footer", "aside")
"""Parts of a page that are no part of its article, unless its heading is in them, too."""
DATE_NAME = re.compile(r"date|time|publi|posted|meta|byline|info|created|дата")
UPDATE_WORD = re.compile(
    r"updat|modif|aktualis|обновл|измен|редакт|жаңарт|жаңыл|yangilan|mis à jour|actualiz|aggiorn|atualiz", re.IGNORECASE
)
NO_PUBLICATION_WORD = re.compile(
    r"©|copyright|\(c\)|all rights|все права|registr|регистрац|login|accessed", re.IGNORECASE
)
ISO_BEGINNING = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2})?(?!\d)")
OFFSET_END = re.compile(r"(?:[+-]\d{2}:?\d{2}|Z|GMT|UTC?)$")
YEAR_WORD = r"(?:[\s-]*(?:г|года|году|ж|жыл|жылы|жылғы|yil|йил)\.?(?![^\W\d_]))?"
TIME = (
    rf"{YEAR_WORD}(?:[\s,|T/·•–-]*(?:um|at|à|в|в\s|ore|a las|kl\.?)?[\s,|]*"
    r"(?P<hour>[01]?\d|2[0-3])[:.h](?P<minute>[0-5]\d)(?![\d.]))?"
)
TIME_BEFORE = re.compile(
    r"(?<![\d:.,–-])(?<![–-]\s)(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)(?::[0-5]\d)?(?:\s*[,/|·•–—-]\s*|\s+)$"
)
"""A time directly before its date: `14:05 / 27.11.2026`."""
YEAR = r"(?P<year>(?:19|20)\d{2})"
DAY = r"(?<![\d.,:/])(?P<day>[0-3]?\d)"
MONTH = r"(?P<word>[^\W\d_]{3,12})"
TEXT_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{DAY}(?:st|nd|rd|th|er|-?у?ми)?[\s.,/–-]*(?:of\s|de\s|d['’])?\s*{MONTH}\.?[\s,./'’–-]*(?:de\s|del\s|соли\s)?\s*{YEAR}(?!\d){TIME}",
        rf"(?<![^\W\d_]){MONTH}\.?\s+(?P<day>[0-3]?\d)(?:st|nd|rd|th)?,?\s+{YEAR}(?!\d){TIME}",
        rf"(?<!\d){YEAR}[\s-]*(?:жылғы|жылы|жылдын|жылдың|жыл|ж\.|йилнинг|йил|yilning|yil|года|соли)?[\s,-]+(?P<day>[0-3]?\d)[\s–-]+{MONTH}{TIME}",
        rf"(?<![\d./-]){YEAR}(?P<mark>[-./])(?P<number>[01]?\d)(?P=mark)(?P<day>[0-3]?\d)(?![\d]){TIME}",
        rf"(?<![\d./-])(?P<day>[0-3]?\d)(?P<mark>[./-])(?P<number>[01]?\d)(?P=mark){YEAR}(?!\d){TIME}",
        rf"(?<![\d./-])(?P<number>[01]?\d)(?P<mark>[/-])(?P<day>[0-3]?\d)(?P=mark){YEAR}(?!\d){TIME}",
        rf"(?<![\d./-])(?P<day>[0-3]?\d)\.(?P<number>[01]?\d)\.(?P<short>[0-4]\d)(?![\d.]){TIME}",
        rf"{YEAR}\s*[年년]\s*(?P<number>[01]?\d)\s*[月월]\s*(?P<day>[0-3]?\d)\s*[日일]",
    )
)
YEAR_MARK = re.compile(r"(?:19|20)\d{2}|\.[0-4]\d")
"""What every text has that one of TEXT_DATES matches. It spares most lines the search for them."""
FIND_MARKED = etree.XPath(
    "descendant-or-self::*[self::time or self::abbr or @itemprop or @property"
    " or contains(translate(@class, 'DATEPUBLISH', 'datepublish'), 'datepublished')]"
)
"""Elements that may mark a date."""
SCRIPT_DATE = re.compile(
    r"[\"'](?P<name>datePublished|date_?published|published_?(?:at|date|time)|publish_?(?:date|time)|pub_?date"
    r"|first_?published(?:_?at|_?date)?|publication_?date)\\?[\"']\s*:\s*\\?[\"'](?P<value>\d{4}-\d{2}-\d{2}[^\"'\\]{0,30})",
    re.IGNORECASE,
)
URL_DATES = (
    re.compile(r"(?<!\d)(?P<year>(?:19|20)\d{2})[/_.-](?P<number>[01]?\d)[/_.-](?P<day>[0-3]?\d)(?!\d)"),
    re.compile(r"(?<!\d)(?P<year>20\d{2})(?P<number>[01]\d)(?P<day>[0-3]\d)(?!\d)"),
    re.compile(r"(?<!\d)(?P<year>(?:19|20)\d{2})/(?P<word>[a-z]{3,9})/(?P<day>[0-3]?\d)(?!\d)"),
    re.compile(r"(?<!\d)(?P<day>[0-3]\d)[/_.-](?P<number>[01]\d)[/_.-](?P<year>(?:19|20)\d{2})(?!\d)"),
)


@dataclass(frozen=True, slots=True)
class StatedDate:
    """A date that a page states.

    `value` is ISO 8601: a day, or a time with the offset that the page states; without one it is the site's local time.
    `text` is what was read, and `origin` where it was, such as `JSON-LD datePublished` or `visible text`. A date that
    `is_in_frame` is in the head, a menu, a margin or the foot of the page.
    """

    value: str
    text: str
    origin: str
    is_in_frame: bool = False

    @property
    def day(self) -> str:
        """The day as `YYYY-MM-DD`."""
        return self.value[:10]


def find_publication_date(page: GenericPage, title: str = "") -> StatedDate | None:
    """Return the date that a page states for its article, or None."""
    stated = next(iter((*_list_json_ld_dates(page), *_list_metadata_dates(page))), None)
    if stated and not _is_utc(stated):
        return stated
    visible = list(_list_visible_dates(page, title))
    address = list(_list_url_dates(page.url))
    if stated:
        seen = [*address, *visible[:MAX_COMPARED_DATES]]
        is_confirmed = any(each.day == stated.day for each in seen)
        return stated if is_confirmed else next((each for each in seen if _is_next_day(each, stated)), stated)
    found = [*_list_marked_dates(page, title), *visible]
    for each in found:
        if any(each.day == other.day for other in address):
            return each
    inside = [each for each in found if not each.is_in_frame]
    return next(iter((*inside, *address, *_list_script_dates(page), *found)), None)


def list_stated_dates(page: GenericPage, title: str = "") -> list[StatedDate]:
    """Return the dates that a page states, the most reliable place first, each day once for each place."""
    found: dict[tuple[str, str], StatedDate] = {}
    for each in (
        *_list_json_ld_dates(page),
        *_list_metadata_dates(page),
        *_list_marked_dates(page, title),
        *_list_visible_dates(page, title),
        *_list_url_dates(page.url),
    ):
        found.setdefault((each.origin, each.day), each)
    return list(found.values())


def _is_utc(stated: StatedDate) -> bool:
    """Return whether the time is in UTC, so that the site's own day may be another one."""
    return stated.value.endswith("+00:00")


def _is_next_day(local: StatedDate, stated: StatedDate) -> bool:
    """Return whether a reader sees the day beside that of a time in UTC."""
    return abs(date.fromisoformat(local.day) - date.fromisoformat(stated.day)) == timedelta(days=1)


def parse_stated_date(text: str, origin: str, language: str = "") -> StatedDate | None:
    """Return the date of a text that is one and nothing else, or begins with one, or None."""
    text = " ".join(text.split())[:80]
    if found := ISO_BEGINNING.match(text):
        return _make_date(_format_iso(text) or found[0].replace(" ", "T"), text, origin)
    if parsed := parse_date(text, UTC):
        at = parsed.at if OFFSET_END.search(text) else parsed.at.replace(tzinfo=None)
        value = at.isoformat(timespec="seconds") if parsed.precision is Precision.MINUTE else at.date().isoformat()
        return _make_date(value, text, origin)
    return next(iter(find_dates(text, origin, language)), None)


def find_dates(text: str, origin: str, language: str = "") -> Iterator[StatedDate]:
    """Yield the dates in a text, by their place."""
    if not YEAR_MARK.search(text):
        return
    matches = [(found.start(), number, found) for number, p in enumerate(TEXT_DATES) for found in p.finditer(text)]
    end = 0
    for start, _, found in sorted(matches, key=lambda each: each[:2]):
        if start >= end and (value := _read_match(found, language)):
            before = TIME_BEFORE.search(text[end:start]) if "T" not in value else None
            if before:
                value += f"T{int(before['hour']):02d}:{before['minute']}:00"
            words = f"{before[0] if before else ''}{found[0]}".strip()
            end = found.end()
            yield StatedDate(value, words, origin)


def is_date_line(text: str) -> bool:
    """Return whether a line is a date and nothing else that counts."""
    if len(text) > MAX_DATE_LINE_LENGTH:
        return False
    found = next(iter(find_dates(text, "")), None)
    return found is not None and len(found.text) >= MIN_DATE_SHARE * len(text)


def _read_match(found: re.Match[str], language: str) -> str | None:
    parts = found.groupdict()
    month = get_month_number(parts["word"], language) if parts.get("word") else int(parts["number"])
    if month is None:
        return None
    year = int(parts["year"]) if parts.get("year") else 2000 + int(parts["short"])
    day = int(parts["day"])
    if parts.get("mark") == "/" and language == "en" and found.start("day") < found.start("number") and day <= 12:
        day, month = month, day  # the order of the United States
    try:
        written = date(year, month, day).isoformat()
    except ValueError:
        return None
    if not MIN_YEAR <= year <= MAX_YEAR:
        return None
    return f"{written}T{int(parts['hour']):02d}:{parts['minute']}:00" if parts.get("hour") else written


def _is_day(text: str) -> bool:
    try:
        return MIN_YEAR <= date.fromisoformat(text).year <= MAX_YEAR
    except ValueError:
        return False


def _make_date(value: str, text: str, origin: str) -> StatedDate | None:
    return StatedDate(value, text, origin) if _is_day(value[:10]) else None


def _format_iso(text: str) -> str | None:
    """Return an ISO 8601 time with the offset that it has, or a day; None for another text."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.isoformat(timespec="seconds") if len(text) > len("2026-01-01") else at.date().isoformat()


def _list_json_ld_dates(page: GenericPage) -> Iterator[StatedDate]:
    for key in ("datePublished", "dateCreated"):
        for article in page.articles:
            value = article.get(key)
            if isinstance(value, str) and (found := parse_stated_date(value, f"JSON-LD {key}", page.html_language)):
                yield found


def _list_metadata_dates(page: GenericPage) -> Iterator[StatedDate]:
    for name in META_FIELDS:
        value = page.metadata.get(name)
        if value and (found := parse_stated_date(value, f"meta {name}", page.html_language)):
            yield found


def _list_marked_dates(page: GenericPage, title: str) -> Iterator[StatedDate]:
    """Yield the dates of `time` elements and microdata: the marked ones first, the others by the way to the heading."""
    elements: list[tuple[int, Any]] = []
    for node in FIND_MARKED(page.root):
        names = f"{node.get('class') or ''} {node.get('itemprop') or ''} {node.get('property') or ''}".lower()
        if "datepublished" in names or (node.tag == "time" and node.get("pubdate") is not None):
            elements.append((0, node))
        elif node.tag in ("time", "abbr") and re.search(r"publi|entry-date|posted", names):
            elements.append((1, node))
        elif node.tag == "time" and not UPDATE_WORD.search(names):
            elements.append((2, node))
    around = _list_heading_ancestors(page, title) if elements else []
    for node in _sort_by_heading(page, around, elements):
        for value in (node.get("datetime"), node.get("content"), node.get("title"), "".join(node.itertext())):
            if value and (found := parse_stated_date(value, f"{node.tag} element", page.html_language)):
                yield replace(found, is_in_frame=_is_in_frame(node, around))
                break


def _sort_by_heading(page: GenericPage, around: Sequence[Any], elements: list[tuple[int, Any]]) -> list[Any]:
    """Return elements by their rank. Those of rank 2 may be of other articles: the nearest to the heading are first.

    In a list of more than MAX_LIST_DATES, those count that are in an `article` or near the heading.
    """
    plain = [node for rank, node in elements if rank == 2]
    near = []
    if around and len(plain) > 1:
        offsets = _measure_offsets(page.root)
        distances = {node: abs(offsets[node] - offsets[around[0]]) for node in plain}
        plain.sort(key=lambda node: distances[node])
        near = [node for node in plain if distances[node] <= MAX_HEADING_DISTANCE and not _is_in_frame(node, around)]
    if len(plain) > MAX_LIST_DATES:
        plain = [node for node in plain if next(node.iterancestors("article"), None) is not None] or near[:1]
    return [node for wanted in (0, 1) for rank, node in elements if rank == wanted] + plain


def _list_heading_ancestors(page: GenericPage, title: str) -> list[Any]:
    """Return the element of the article's heading and those around it, or nothing."""
    start = _find_title_line(page.lines, title)
    heading = page.lines[start].node if start is not None else None
    return [heading, *heading.iterancestors()] if heading is not None else []


def _measure_offsets(root: Any) -> dict[Any, int]:
    """Return for each element how many characters of text are before it."""
    offsets: dict[Any, int] = {}
    length = 0
    for event, node in etree.iterwalk(root, events=("start", "end")):
        if event == "end":
            length += len((node.tail or "").strip())
            continue
        offsets[node] = length
        if node.tag not in ("script", "style", "noscript", "template"):
            length += len((node.text or "").strip())
    return offsets


def _is_in_frame(node: Any, around: Sequence[Any]) -> bool:
    """Return whether an element is in a part of the page without the heading. `around` has the heading's ancestors."""
    for each in node.iterancestors():
        if each in around:
            return False
        if each.tag in FRAME_TAGS:
            return bool(around) and next(each.iterancestors("article", "main"), None) is None
    return False


def _list_visible_dates(page: GenericPage, title: str) -> Iterator[StatedDate]:
    """Yield the dates of lines, the most promising first: of equal ones the nearest to the title."""
    language = page.html_language
    dated = [(number, line, found) for number, line in enumerate(page.lines) for found in _find_in_line(line, language)]
    days: defaultdict[str, set[str]] = defaultdict(set)
    for _, line, found in dated:
        days[line.path].add(found.day)
    start = _find_title_line(page.lines, title)
    around = _list_heading_ancestors(page, title) if dated else []
    ranked = []
    for number, line, found in dated:
        if len(days[line.path]) > MAX_LIST_DATES or NO_PUBLICATION_WORD.search(line.text):
            continue
        is_near = start is not None and start - LINES_BEFORE_TITLE <= number <= start + LINES_AFTER_TITLE
        is_in_frame = _is_in_frame(line.node, around)
        rank = 4 * (not is_near or is_in_frame) + 2 * bool(UPDATE_WORD.search(line.text)) + (line.link_share > 0.8)
        rank += not DATE_NAME.search(line.names)
        order = abs(number - start) if is_near and start is not None else len(page.lines) + number
        ranked.append((rank, order, replace(found, is_in_frame=is_in_frame)))
    for _, _, found in sorted(ranked, key=lambda each: each[:2]):
        yield found


def _find_in_line(line: PageLine, language: str) -> list[StatedDate]:
    found = list(find_dates(line.text[:400], "visible text", language))
    if len(line.words) <= MAX_DATE_WORDS:
        return found
    return [each for each in found[:1] if line.text.find(each.text) <= MAX_DATELINE_POSITION]


def _find_title_line(lines: list[PageLine], title: str) -> int | None:
    words = list_words(title)
    same = [number for number, line in enumerate(lines) if line.words == words]
    if not same:
        same = [number for number, line in enumerate(lines) if line.tag == "h1"]
    return same[-1] if same else None


def _list_script_dates(page: GenericPage) -> Iterator[StatedDate]:
    """Yield the dates that the page's own scripts name as those of publication."""
    for found in SCRIPT_DATE.finditer(page.html):
        if stated := parse_stated_date(found["value"], f"script {found['name']}", page.html_language):
            yield stated


def _list_url_dates(url: str) -> Iterator[StatedDate]:
    for pattern in URL_DATES:
        for found in pattern.finditer(url):
            if value := _read_match(found, "en"):
                yield StatedDate(value, found[0], "address")
