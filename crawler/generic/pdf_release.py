"""PdfRelease: a press release that a site publishes as a PDF, read by pypdf (extra `sites`)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from io import BytesIO
from itertools import pairwise
from typing import Any

from crawler.defaults import load_default_toml
from crawler.errors import ScannedDocument, UsageError, format_install_advice
from crawler.generic.date_texts import find_dates, is_date_line
from crawler.generic.page_lines import list_words
from crawler.items import Precision
from crawler.pages.base import ArticlePage
from crawler.pages.blocks import parse_text, read_line
from crawler.pages.site import Site
from crawler.pages.snapshot import Snapshot
from crawler.text.dates import convert_to_zone

MAX_HEAD_LINES = 3
"""Lines at the top and the bottom of a page among which running heads are."""
MAX_DATE_LINE = 25
"""Lines of the text in which the date is."""
MAX_TITLE_LINES, MAX_TITLE_LENGTH, MIN_TITLE_WORDS = 4, 300, 3
MIN_SHARED_WORDS = 0.7
"""Share of the words of a title in the file's data that the text must have."""
MIN_TEXT_LINE = 40
"""Characters of a line that is surely text."""
MIN_HEADING_FACTOR, MAX_FOOT_FACTOR = 1.15, 0.9
"""Size of letters against those of the text."""
MAX_LEADING_FACTOR = 1.25
"""Distance of lines against the smallest one, from which a paragraph ends."""
MAX_END_SHARE, MAX_CLOSE_ENDS = 0.75, 0.25
"""Length of a line that ends a paragraph, against the widest one, and such lines for each larger distance."""
FIRST_PARAGRAPH = "first paragraph"
"""The rule of a title that nothing marks as one."""
SENTENCE_END = re.compile(r"[.!?…:;»”\"]$")
NUMBER = re.compile(r"\d+")
HYPHEN_END = re.compile(r"(?<=[^\W\d_])[-\u2010\u00ad]$")


@dataclass(frozen=True, slots=True)
class PdfLine:
    """A line of a PDF, the size of its letters and its height on the page, both in points, and whether it is bold."""

    text: str
    size: float = 0.0
    height: float = 0.0
    is_bold: bool = False


@dataclass(frozen=True, slots=True)
class PdfDocument:
    """The lines of each page, and the title in the file's data, which may be "" or that of another document."""

    pages: list[list[PdfLine]]
    stated_title: str


@dataclass(frozen=True, slots=True)
class PdfTitle:
    """A title, the lines in which it is, and the rule that found it. Without a text it is the first paragraph."""

    text: str | None = None
    place: slice | None = None
    rule: str = FIRST_PARAGRAPH


class PdfRelease(ArticlePage):
    """A PDF with text. One of pictures alone raises ScannedDocument."""

    @classmethod
    def can_read(cls, snapshot: Snapshot, site: Site) -> bool:
        """Return whether it is a PDF at an article's address."""
        return snapshot.kind == "pdf" and site.identify(snapshot.url) is not None

    def extract_fields(self) -> dict[str, Any]:
        """Return title, text and date: the text follows the title, and the date is the first one of all lines."""
        document = self.read_document()
        lines = remove_running_heads(document.pages)
        found = next(
            (date for line in join_paragraphs(lines)[:MAX_DATE_LINE] for date in find_dates(line, "text")), None
        )
        title = find_title(lines, document.stated_title)
        paragraphs = join_paragraphs(remove_foot(lines)[title.place.stop :] if title.place else lines)
        paragraphs = [line for line in paragraphs if not is_date_line(line)]
        if not title.text:
            while len(paragraphs) > 1 and load_no_titles().fullmatch(paragraphs[0]):
                del paragraphs[0]
            if len(paragraphs) > 1 and len(paragraphs[0]) <= MAX_TITLE_LENGTH:
                title = replace(title, text=paragraphs.pop(0))
        if not paragraphs:
            raise self.make_changed_error("body", "paragraphs of a PDF", "none")
        for field, rule in (("title", title.rule), ("body", "text of the PDF"), ("published_at", "text")):
            self.record_rule(field, rule)
        fields: dict[str, Any] = {
            "title": title.text,
            "body": parse_text("\n".join(paragraphs)),
        }
        if found:
            fields["published_at"] = convert_to_zone(datetime.fromisoformat(found.value), self.site.time_zone)
            fields["published_raw"] = found.text
            fields["published_precision"] = Precision.MINUTE if "T" in found.value else Precision.DAY
        return fields

    def read_document(self) -> PdfDocument:
        """Return the lines of each page, and the title of the data. Raise ScannedDocument where no page has text."""
        try:
            from pypdf import PdfReader
            from pypdf.errors import PyPdfError
        except ImportError as error:
            raise UsageError(f"Reading a PDF needs pypdf. {format_install_advice('sites')}") from error
        try:
            reader = PdfReader(BytesIO(self.snapshot.body))
            pages = [read_lines(page) for page in reader.pages]
            stated = reader.metadata.title if reader.metadata else None
        except (PyPdfError, ValueError, KeyError) as error:
            raise self.make_changed_error("body", "a PDF", f"a broken one ({error})") from error
        if not any(line.text for page in pages for line in page):
            url = self.snapshot.url
            message = (
                f"{url}: the PDF is a scan, {len(pages)} pages of pictures without text. Ask the source for a text."
            )
            raise ScannedDocument(message, url=url)
        return PdfDocument(pages, read_line(stated) if isinstance(stated, str) else "")


def read_lines(page: Any) -> list[PdfLine]:
    """Return the lines of a page of pypdf, each with the letters and the height of its longest piece."""
    lines: list[list[PdfLine]] = [[]]

    def visit(text: str, outer: Sequence[float], inner: Sequence[float], font: Any, size: float) -> None:
        height = inner[4] * outer[1] + inner[5] * outer[3] + outer[5]
        is_bold = "bold" in str((font or {}).get("/BaseFont", "")).lower()
        for number, part in enumerate(text.split("\n")):
            if number:
                lines.append([])
            lines[-1].append(PdfLine(part, round(abs(size * inner[3] * outer[3]), 1), height, is_bold))

    page.extract_text(visitor_text=visit)
    made = []
    for pieces in lines:
        longest = max(pieces, key=lambda piece: len(piece.text.strip()), default=PdfLine(""))
        made.append(replace(longest, text="".join(piece.text for piece in pieces).strip()))
    return made


def find_title(lines: Sequence[PdfLine], stated: str) -> PdfTitle:
    """Return the title: larger letters before the text, the title in the file's data, or bold letters.

    Programs leave file names and titles of earlier documents in the data, so most of its words must be in the text.
    """
    if place := find_heading(lines):
        return PdfTitle(_join_lines(lines[place]), place, "largest letters")
    words = list_words(stated)
    if len(words) >= MIN_TITLE_WORDS and not load_no_titles().fullmatch(stated):
        if place := find_words(lines[:MAX_DATE_LINE], words):
            return PdfTitle(_join_lines(lines[place]), place, "title in the file's data and in the text")
        known = {word for line in lines for word in list_words(line.text)}
        if sum(word in known for word in words) >= MIN_SHARED_WORDS * len(words):
            return PdfTitle(stated, None, "title in the file's data")
    if place := find_bold_heading(lines):
        return PdfTitle(_join_lines(lines[place]), place, "bold letters")
    return PdfTitle()


def _join_lines(lines: Sequence[PdfLine]) -> str:
    return " ".join(line.text for line in lines)


@cache
def load_no_titles() -> re.Pattern[str]:
    """Return the pattern of file names, defaults of programs and labels, which are no titles."""
    return re.compile("|".join(load_default_toml("page_labels.toml")["pdf"]["no_titles"]), re.IGNORECASE)


def find_words(lines: Sequence[PdfLine], words: Sequence[str]) -> slice | None:
    """Return the lines that together have exactly these words, or None."""
    for start in range(len(lines)):
        found: list[str] = []
        for stop in range(start, min(start + MAX_TITLE_LINES, len(lines))):
            found += list_words(lines[stop].text)
            if found == list(words) and lines[start].text:
                return slice(start, stop + 1)
    return None


def find_bold_heading(lines: Sequence[PdfLine]) -> slice | None:
    """Return the last run of bold lines before a text that is not bold, or None."""
    size = find_text_size(lines)
    is_text = [line.size == size and len(line.text) >= MIN_TEXT_LINE and not line.is_bold for line in lines]
    start = is_text.index(True) if any(is_text) else 0
    runs = _list_runs(lines[:start], lambda line: line.is_bold and not is_date_line(line.text))
    wordy = [run for run in runs if len(list_words(_join_lines(lines[run]))) >= MIN_TITLE_WORDS]
    return wordy[-1] if wordy else None


def find_heading(lines: Sequence[PdfLine]) -> slice | None:
    """Return where the title is: the longest run of lines in larger letters before the text, or None."""
    size = find_text_size(lines)
    start = next((n for n, line in enumerate(lines) if line.size == size and len(line.text) >= MIN_TEXT_LINE), 0)
    runs = _list_runs(lines[:start], lambda line: line.size >= MIN_HEADING_FACTOR * size)
    lengths = [_count_characters(lines[run]) for run in runs]
    return runs[lengths.index(max(lengths))] if runs else None


def _count_characters(lines: Sequence[PdfLine]) -> int:
    return sum(len(line.text) for line in lines)


def _list_runs(lines: Sequence[PdfLine], is_heading: Callable[[PdfLine], bool]) -> list[slice]:
    """Return the runs of lines in equal letters that may be a title."""
    runs: list[slice] = []
    for number, line in enumerate(lines):
        if not line.text or not is_heading(line):
            continue
        is_next = bool(runs) and runs[-1].stop == number and lines[number - 1].size == line.size
        first = runs.pop().start if is_next else number
        runs.append(slice(first, number + 1))
    return [
        run
        for run in runs
        if run.stop - run.start <= MAX_TITLE_LINES and _count_characters(lines[run]) <= MAX_TITLE_LENGTH
    ]


def find_text_size(lines: Sequence[PdfLine]) -> float:
    """Return the size of most letters."""
    counts: Counter[float] = Counter()
    for line in lines:
        counts[line.size] += len(line.text)
    return max(counts, key=lambda size: counts[size], default=0.0)


def remove_foot(lines: Sequence[PdfLine]) -> list[PdfLine]:
    """Return the lines, with empty ones for those in small letters under the text of the last page."""
    size = find_text_size(lines)
    last = next((line for line in reversed(lines) if line.size == size and line.text), None)
    if last is None:
        return list(lines)
    return [
        PdfLine("") if line.size <= MAX_FOOT_FACTOR * size and line.height < last.height - 2 * size else line
        for line in lines
    ]


def remove_running_heads(pages: Sequence[list[PdfLine]]) -> list[PdfLine]:
    """Return the lines of all pages without those that repeat at the top or the bottom, whatever their page number."""
    counts = Counter(
        key for page in pages for key in {_make_head_key(line) for line in _list_edges(page)} if key is not None
    )
    repeated = {key for key, count in counts.items() if count > 1 and count * 2 >= len(pages)}
    kept: list[PdfLine] = []
    for page in pages:
        edges = _list_edges(page)
        kept += [
            line
            for line in page
            if not (
                line.text in edges
                and (_make_head_key(line.text) in repeated or NUMBER.fullmatch(line.text.strip("-– ")))
            )
        ]
    return kept


def _list_edges(page: list[PdfLine]) -> list[str]:
    filled = [line.text for line in page if line.text]
    return filled[:MAX_HEAD_LINES] + filled[-MAX_HEAD_LINES:]


def _make_head_key(line: str) -> str | None:
    return NUMBER.sub("#", line.casefold()) or None


def join_paragraphs(lines: Sequence[PdfLine]) -> list[str]:
    """Return paragraphs. Where larger distances of lines separate them, these decide.

    Elsewhere a line that is about as long as the widest one continues in the next line.
    """
    width = max((len(line.text) for line in lines), default=0)
    limit = _find_largest_leading(lines, width)
    paragraphs: list[str] = []
    previous: PdfLine | None = None
    for line in lines:
        text = line.text
        if not text:
            previous = None
            continue
        if previous is not None and _continues(previous, line, width, limit):
            last = paragraphs[-1]
            paragraphs[-1] = HYPHEN_END.sub("", last) + text if HYPHEN_END.search(last) else f"{last} {text}"
        else:
            paragraphs.append(text)
        previous = line
    return paragraphs


def _continues(line: PdfLine, following: PdfLine, width: int, limit: float | None) -> bool:
    """Return whether the next line is in the same paragraph. `limit` is the largest gap in one, if there are gaps."""
    gap = line.height - following.height
    if limit is not None and gap > 0:
        return (line.size, line.is_bold) == (following.size, following.is_bold) and gap <= limit
    length = len(line.text)
    return length > MAX_END_SHARE * width or (length > 0.6 * width and not SENTENCE_END.search(line.text))


def _find_largest_leading(lines: Sequence[PdfLine], width: int) -> float | None:
    """Return the largest distance of two lines in a paragraph, or None where distances do not separate paragraphs.

    They do where hardly any short line, which ends a paragraph, is as close to the next one as others are.
    """
    size, filled = find_text_size(lines), [line for line in lines if line.text]
    pairs = [(line, after) for line, after in pairwise(filled) if line.size == after.size == size]
    gaps = [(line, after, gap) for line, after in pairs if (gap := line.height - after.height) > 0]
    limit = MAX_LEADING_FACTOR * min((gap for _, _, gap in gaps), default=0.0)
    large = sum(gap > limit for _, _, gap in gaps)
    close_ends = sum(
        gap <= limit and line.is_bold == after.is_bold and len(line.text) <= MAX_END_SHARE * width
        for line, after, gap in gaps
    )
    return limit if large and close_ends <= MAX_CLOSE_ENDS * large else None
