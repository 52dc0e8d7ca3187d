"""The publication date of an article: only what the page, its data or its address states as a text."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, NamedTuple

from lxml import etree

from crawler.generic.date_texts import (
    NUMBERS_ONLY,
    OFFSET_END,
    SHORT_NUMBERS,
    StatedDate,
    find_dates,
    is_day,
    parse_stated_date,
    read_date_match,
)
from crawler.generic.page import GenericPage
from crawler.generic.page_lines import PageLine, list_words

STRONG_META_FIELDS = (
    *("article:published_time", "og:article:published_time", "datepublished", "og:published_time", "parsely-pub-date"),
    *("sailthru.date", "citation_publication_date", "citation_online_date", "citation_date"),
)
META_FIELDS = (
    *STRONG_META_FIELDS,
    *("pubdate", "publishdate", "publish-date", "publish_date", "published_time", "article_date_original"),
    *("cxenseparse:recs:publishtime", "date.issued", "dc.date.issued", "dcterms.created", "dc.date.created", "dc.date"),
    *("dcterms.date", "datecreated", "date", "article.published", "published-date", "originalpublicationdate"),
    "published",
)
"""Names of `meta` elements for the day of publication, the most reliable first."""
MAX_DATE_WORDS = 25
"""Words of a line that is about its date. A longer line may only begin with one."""
MAX_DATELINE_POSITION = 60
"""Characters before a date in the first line of a text: the place."""
MAX_LIST_DATES = 3
"""Different dates at one place of the markup from which it is a list of other articles."""
MAX_COMPARED_DATES = 3
PUBLISHED_ORIGIN = "JSON-LD datePublished"
STRONG_ORIGINS = frozenset(f"meta {name}" for name in STRONG_META_FIELDS)
PLACE_WEIGHTS = (4.0, 3.0, 0.5, 1.5, 2.0, 1.5)
"""How sure a day is that JSON-LD, strong and weak metadata, marked elements, visible text and the address name.

The second date of a place has half the weight."""
WORLD_OFFSETS = (-10, 13)
"""Hours between UTC and the outermost zones, but for those of a few islands."""
SENTENCE_ENDS = (".", "!", "?", "…")
MAX_SENTENCE_SHARE = 0.5
"""Share of a sentence that a date has, from which it is about that date: "Published on 3 May 2026."."""
MAX_LINK_SHARE = 0.8
LINES_BEFORE_TITLE, LINES_AFTER_TITLE = 8, 25
LINES_BESIDE_TITLE = 2
"""Lines after the title in which a date that begins a line needs no class name to be promising."""
MAX_HEADING_DISTANCE = 400
"""Characters between the heading and a `time` element, beyond which it may be that of another article in a list."""
FRAME_TAGS = ("header", "nav", "footer", "aside")
"""Parts of a page that are no part of its article, unless its heading is in them, too."""
DATE_NAME = re.compile(r"date|time|publi|posted|meta|byline|info|created|дата")
UPDATE_WORD = re.compile(
    r"updat|modif|aktualis|обновл|измен|редакт|жаңарт|жаңыл|yangilan|mis à jour|actualiz|aggiorn|atualiz", re.IGNORECASE
)
ORIGINAL_WORD = re.compile(
    r"(?:originally|first) (?:published|posted|created|appeared)|zuerst (?:veröffentlicht|erschienen)"
    r"|ursprünglich (?:veröffentlicht|erschienen)|впервые опубликован|publié (?:initialement|pour la première fois)"
    r"|publicado originalmente|pubblicato originariamente",
    re.IGNORECASE,
)
PUBLISHED_WORD = re.compile(
    r"publish|pubblicat|publicad|publié|posted|veröffentlicht|erschienen|опубликован|жариялан|жарыялан|e.lon qilin",
    re.IGNORECASE,
)
"""What names the date after it in a line that has the date of a change, too."""
OWN_TIME = re.compile(
    r"[^\d()|/;·•]{0,15}\d{1,2}(?:[:.]\d\d|\s*(?:min|hour|day|week|month|мин|час|дн|ден|нед|мес|сағ|күн|апта))",
    re.IGNORECASE,
)
"""What follows a word for a change that has a date or a time of its own: "updated 2 days ago"."""
DATE_END = re.compile(r"(?:19|20)\d{2}(?!\d)")
NO_PUBLICATION_WORD = re.compile(
    r"©|copyright|\(c\)|all rights|все права|registr|регистрац|login|accessed", re.IGNORECASE
)
MAX_LABEL_LENGTH = 30
"""Characters before a date that may name it."""
PUBLISHED_NAME_CONDITION = "contains(., 'atePublished') or contains(., 'atepublished')"
FIND_MARKED = etree.XPath(
    "//time | //abbr | "
    + " | ".join(f"//@{name}[{PUBLISHED_NAME_CONDITION}]/.." for name in ("class", "itemprop", "property"))
)
"""Elements that may mark a date."""
QUOTE = r"\\?(?:[\"']|&quot;)"
SCRIPT_DATE = re.compile(
    rf"{QUOTE}(?P<name>datePublished|date_?published|published_?(?:at|date|time)|publish_?(?:date|time)|pub_?date"
    rf"|first_?published(?:_?at|_?date)?|publication_?date){QUOTE}\s*:\s*{QUOTE}(?P<value>\d{{4}}-\d{{2}}-\d{{2}}[^\"'\\&]{{0,30}})",
    re.IGNORECASE,
)
"""A date that the page's data names: in a script, or in an attribute with its quotation marks encoded."""
URL_MONTH = re.compile(r"/(?P<year>(?:19|20)\d{2})[/-](?P<number>0[1-9]|1[0-2])/")
URL_DATES = (
    re.compile(r"(?<!\d)(?P<year>(?:19|20)\d{2})[/_.-](?P<number>[01]?\d)[/_.-](?P<day>[0-3]?\d)(?!\d)"),
    re.compile(r"(?<!\d)(?P<year>20\d{2})(?P<number>[01]\d)(?P<day>[0-3]\d)(?!\d)"),
    re.compile(r"/(?P<year>20(?P<end>\d{2}))/(?P<number>[01]\d)/(?P=end)(?P=number)(?P<day>[0-3]\d)(?!\d)"),
    re.compile(r"(?<!\d)(?P<year>(?:19|20)\d{2})/(?P<word>[a-z]{3,9})/(?P<day>[0-3]?\d)(?!\d)"),
    re.compile(r"(?<!\d)(?P<day>[0-3]\d)[/_.-](?P<number>[01]\d)[/_.-](?P<year>(?:19|20)\d{2})(?!\d)"),
)


class DateEvidence(NamedTuple):
    """The dates of a page by their place, the most reliable place first: its data, marked elements, lines, address."""

    data: Sequence[StatedDate]
    marked: Sequence[StatedDate]
    visible: Sequence[StatedDate]
    address: Sequence[StatedDate]


def find_publication_date(page: GenericPage, title: str = "") -> StatedDate | None:
    """Return the date that a page states for its article, or None."""
    data = _list_data_dates(page)
    if data and _is_beyond_doubt(data):
        return data[0]
    evidence = _settle_orders(_gather_evidence(page, title))
    if evidence.data:
        return _find_outweighing_date(evidence) or _find_local_date(page, evidence)
    found = [*evidence.marked, *evidence.visible]
    for each in found:
        if any(each.day == other.day for other in evidence.address):
            return each
    inside = [each for each in found if not each.is_in_frame]
    weights = _weigh_days(evidence)
    marked = [each for each in evidence.marked if not each.is_in_frame]
    shown = [each for each in evidence.visible if not each.is_in_frame and not each.is_doubtful]
    sure = shown[:1] if _are_of_others(marked, shown) else marked or shown
    sure.sort(key=lambda each: -weights[each.day])
    return next(
        chain(_list_dates_of_month(page.url, inside), sure, evidence.address, inside, _list_script_dates(page), found),
        None,
    )


def _are_of_others(marked: Sequence[StatedDate], shown: Sequence[StatedDate]) -> bool:
    """Return whether several marked days are those of other articles: the most promising line has none of them."""
    days = {each.day for each in marked}
    is_named = any(each.is_named for each in marked)
    return not is_named and len(days) > 1 and bool(shown) and shown[0].day not in days


def _list_dates_of_month(url: str, dates: Sequence[StatedDate]) -> list[StatedDate]:
    """Return the dates in the month that an address names, if it names one without a day."""
    found = URL_MONTH.search(url)
    month = f"{found['year']}-{found['number']}" if found else None
    return [each for each in dates if each.day[:7] == month and not each.is_doubtful]


def _settle_orders(evidence: DateEvidence) -> DateEvidence:
    """Return the dates with the order of day and month settled: of data by the whole page, of others by the address."""
    data, marked, visible, address = evidence
    return evidence._replace(
        data=[_settle_order(each, (*marked, *visible, *address)) for each in data],
        marked=[_settle_order(each, address) for each in marked],
        visible=[_settle_order(each, address) for each in visible],
    )


def _settle_order(stated: StatedDate, others: Sequence[StatedDate]) -> StatedDate:
    """Return a date such as 03-09-2026 with the month first where the others name only that day."""
    year, month, day = stated.day.split("-")
    other = f"{year}-{day}-{month}"
    if not NUMBERS_ONLY.match(stated.text) or not is_day(other):
        return stated
    days = {each.day for each in others if not NUMBERS_ONLY.match(each.text)}
    return replace(stated, value=other + stated.value[10:]) if other in days and stated.day not in days else stated


def _is_beyond_doubt(data: Sequence[StatedDate]) -> bool:
    """Return whether nothing that a page shows can outweigh its data. It spares many pages a search of their lines."""
    weights = _weigh_days(DateEvidence(data, (), (), ()))
    own = weights.pop(data[0].day)
    return not _is_utc(data[0]) and own >= max(weights.values(), default=0) + sum(PLACE_WEIGHTS[3:])


def _find_outweighing_date(evidence: DateEvidence) -> StatedDate | None:
    """Return the date of the day that better places name than that of the first of the page's data, or None.

    The data of some pages has the day of a change or of an import, which no reader sees.
    """
    weights = _weigh_days(evidence)
    stated = evidence.data[0]
    day = max(weights, key=lambda each: weights[each])
    same = [each for each in weights if each == stated.day or _may_be_local(each, stated)]
    if day in same or weights[day] <= sum(weights[each] for each in same):
        return None
    return next(each for dates in evidence for each in dates if each.day == day)


def _weigh_days(evidence: DateEvidence) -> Counter[str]:
    published = [each for each in evidence.data if each.origin == PUBLISHED_ORIGIN]
    strong = [each for each in evidence.data if each.origin in STRONG_ORIGINS]
    weak = [each for each in evidence.data if each not in published and each not in strong]
    marked = [each for each in evidence.marked if not each.is_in_frame]
    visible = [each for each in evidence.visible if not each.is_in_frame and not each.is_doubtful]
    weights: Counter[str] = Counter()
    for weight, dates in zip(PLACE_WEIGHTS, (published, strong, weak, marked, visible, evidence.address), strict=True):
        best: dict[str, float] = {}
        for place, each in enumerate(dates[:MAX_COMPARED_DATES]):
            best.setdefault(each.day, weight / 2**place)
        weights.update(best)
    return weights


def _find_local_date(page: GenericPage, evidence: DateEvidence) -> StatedDate:
    """Return the first date of the page's data, or the one that names the day of that time in the site's zone."""
    stated = evidence.data[0]
    if not _is_utc(stated):
        return stated
    for each in (*evidence.data, *evidence.marked):
        if OFFSET_END.search(each.value) and not _is_utc(each) and _parse_time(each) == _parse_time(stated):
            return each
    shown = [each for each in evidence.visible if not each.is_in_frame][:MAX_COMPARED_DATES]
    for each in shown:
        if _is_same_time(each, stated):
            return stated if each.day == stated.day else each
    return (
        _choose_local_date(stated, evidence.address)
        or _choose_local_date(stated, [each for each in evidence.marked if not each.is_in_frame])
        or _choose_local_date(stated, shown)
        or _choose_local_date(stated, (*evidence.data, *_list_script_dates(page)))
        or stated
    )


def _is_same_time(local: StatedDate, stated: StatedDate) -> bool:
    """Return whether a date has a time that is the stated time in UTC in a zone of whole hours."""
    if "T" not in local.value:
        return False
    distance = _parse_time(local).replace(tzinfo=UTC, second=0) - _parse_time(stated).replace(second=0)
    hours, rest = divmod(distance, timedelta(hours=1))
    return not rest and WORLD_OFFSETS[0] <= hours <= WORLD_OFFSETS[1]


def _choose_local_date(stated: StatedDate, others: Sequence[StatedDate]) -> StatedDate | None:
    """Return the date with the day on which a time in UTC is in the site's zone, as others name it, or None."""
    local = [each for each in others if not _is_utc(each)]
    if any(each.day == stated.day for each in local):
        return stated
    return next((each for each in local if _may_be_local(each.day, stated)), None)


def list_stated_dates(page: GenericPage, title: str = "") -> list[StatedDate]:
    """Return the dates that a page states, the most reliable place first, each day once for each place."""
    found: dict[tuple[str, str], StatedDate] = {}
    for dates in _gather_evidence(page, title):
        for each in dates:
            found.setdefault((each.origin, each.day), each)
    return list(found.values())


def _gather_evidence(page: GenericPage, title: str) -> DateEvidence:
    return DateEvidence(
        _list_data_dates(page),
        list(_list_marked_dates(page, title)),
        list(_list_visible_dates(page, title)),
        list(_list_url_dates(page.url)),
    )


def _is_utc(stated: StatedDate) -> bool:
    """Return whether the time is in UTC, so that the site's own day may be another one."""
    return stated.value.endswith("+00:00")


def _may_be_local(day: str, stated: StatedDate) -> bool:
    """Return whether a date is a time in UTC that is on another day in a zone of this world."""
    if day == stated.day or not _is_utc(stated):
        return False
    return day in {(_parse_time(stated) + timedelta(hours=offset)).date().isoformat() for offset in WORLD_OFFSETS}


def _parse_time(stated: StatedDate) -> datetime:
    return datetime.fromisoformat(stated.value)


def _list_data_dates(page: GenericPage) -> list[StatedDate]:
    return [*_list_json_ld_dates(page), *_list_metadata_dates(page)]


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
    named = {node for rank, node in elements if rank < 2}
    for node in _sort_by_heading(page, around, elements):
        for value in (node.get("datetime"), node.get("content"), node.get("title"), "".join(node.itertext())):
            if value and (found := parse_stated_date(value, f"{node.tag} element", page.html_language)):
                yield replace(found, is_in_frame=_is_in_frame(node, around), is_named=node in named)
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
        if SHORT_NUMBERS.match(found.text) and not is_near:
            continue  # it may be a score
        is_original, is_update = _read_label(found, line)
        rank = 4 * (not is_near or is_in_frame) + 2 * is_update + (line.link_share > MAX_LINK_SHARE)
        is_after_title = start is not None and start < number <= start + LINES_BESIDE_TITLE
        is_beside = is_after_title and line.text.startswith(found.text)
        rank = -1 if is_original else rank + (not is_beside and not DATE_NAME.search(line.names))
        order = abs(number - start) if is_near and start is not None else len(page.lines) + number
        is_doubtful = is_update or (not is_original and _is_in_sentence(found, line))
        ranked.append((rank, order, replace(found, is_in_frame=is_in_frame, is_doubtful=is_doubtful)))
    for _, _, found in sorted(ranked, key=lambda each: each[:2]):
        yield found


def _find_in_line(line: PageLine, language: str) -> list[StatedDate]:
    found = list(find_dates(line.text[:400], "visible text", language))
    if len(line.words) <= MAX_DATE_WORDS:
        return found
    return [each for each in found[:1] if line.text.find(each.text) <= MAX_DATELINE_POSITION]


def _read_label(found: StatedDate, line: PageLine) -> tuple[bool, bool]:
    """Return whether a date is called that of the first publication, and whether it is called that of a change.

    The words before a date name it. Those behind it do where no other date or time follows.
    """
    before, _, behind = line.text.partition(found.text)
    label = DATE_END.split(before)[-1]
    if ORIGINAL_WORD.search(label[-MAX_LABEL_LENGTH:]):
        return True, False
    if PUBLISHED_WORD.search(label):
        return False, False
    named = UPDATE_WORD.search(behind)
    has_own_time = named and (DATE_END.search(behind) or OWN_TIME.match(behind, named.end()))
    return False, UPDATE_WORD.search(label) is not None or (named is not None and not has_own_time)


def _is_in_sentence(found: StatedDate, line: PageLine) -> bool:
    return line.text.endswith(SENTENCE_ENDS) and len(found.text) < MAX_SENTENCE_SHARE * len(line.text)


def _find_title_line(lines: list[PageLine], title: str) -> int | None:
    words = list_words(title)
    same = [number for number, line in enumerate(lines) if line.words == words]
    if not same:
        same = [number for number, line in enumerate(lines) if line.tag == "h1"]
    same = [number for number in same if lines[number].link_share <= MAX_LINK_SHARE] or same  # no links to the article
    return same[-1] if same else None


def _list_script_dates(page: GenericPage) -> Iterator[StatedDate]:
    """Yield the dates that the page's own scripts name as those of publication."""
    for found in SCRIPT_DATE.finditer(page.html):
        if stated := parse_stated_date(found["value"], f"script {found['name']}", page.html_language):
            yield stated


def _list_url_dates(url: str) -> Iterator[StatedDate]:
    for pattern in URL_DATES:
        for found in pattern.finditer(url):
            if value := read_date_match(found, "en"):
                yield StatedDate(value, found[0], "address")
