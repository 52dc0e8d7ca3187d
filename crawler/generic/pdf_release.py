"""PdfRelease: a press release that a site publishes as a PDF, read by pypdf (extra `sites`)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from typing import Any

from crawler.errors import ScannedDocument, UsageError, format_install_advice
from crawler.generic.publication_date import find_dates, is_date_line
from crawler.items import Precision
from crawler.pages.base import ArticlePage
from crawler.pages.blocks import parse_text
from crawler.pages.site import Site
from crawler.pages.snapshot import Snapshot
from crawler.text.dates import convert_to_zone

MAX_HEAD_LINES = 3
"""Lines at the top and the bottom of a page among which running heads are."""
MAX_DATE_LINE = 25
"""Lines of the text in which the date is."""
MAX_TITLE_LINES, MAX_TITLE_LENGTH = 4, 300
SENTENCE_END = re.compile(r"[.!?…:;»”\"]$")
NUMBER = re.compile(r"\d+")
HYPHEN_END = re.compile(r"(?<=[^\W\d_])[-\u2010\u00ad]$")


class PdfRelease(ArticlePage):
    """A PDF with text. One of pictures alone raises ScannedDocument."""

    @classmethod
    def can_read(cls, snapshot: Snapshot, site: Site) -> bool:
        """Return whether it is a PDF at an article's address."""
        return snapshot.kind == "pdf" and site.identify(snapshot.url) is not None

    def extract_fields(self) -> dict[str, Any]:
        """Return title, text and date: the first paragraph, those after it, and the first date that the text states."""
        paragraphs = join_paragraphs(remove_running_heads(self.read_pages()))
        found = next((date for line in paragraphs[:MAX_DATE_LINE] for date in find_dates(line, "text")), None)
        paragraphs = [line for line in paragraphs if not is_date_line(line)]
        if not paragraphs:
            raise self.make_changed_error("body", "paragraphs of a PDF", "none")
        title = paragraphs[0] if len(paragraphs) > 1 and len(paragraphs[0]) <= MAX_TITLE_LENGTH else None
        for field, rule in (("title", "first paragraph"), ("body", "text of the PDF"), ("published_at", "text")):
            self.record_rule(field, rule)
        fields: dict[str, Any] = {
            "title": title,
            "body": parse_text("\n".join(paragraphs[1:] if title else paragraphs)),
        }
        if found:
            fields["published_at"] = convert_to_zone(datetime.fromisoformat(found.value), self.site.time_zone)
            fields["published_raw"] = found.text
            fields["published_precision"] = Precision.MINUTE if "T" in found.value else Precision.DAY
        return fields

    def read_pages(self) -> list[list[str]]:
        """Return the lines of each page. Raise ScannedDocument where no page has text."""
        try:
            from pypdf import PdfReader
            from pypdf.errors import PyPdfError
        except ImportError as error:
            raise UsageError(f"Reading a PDF needs pypdf. {format_install_advice('sites')}") from error
        try:
            pages = [page.extract_text() for page in PdfReader(BytesIO(self.snapshot.body)).pages]
        except (PyPdfError, ValueError, KeyError) as error:
            raise self.make_changed_error("body", "a PDF", f"a broken one ({error})") from error
        if not any(map(str.strip, pages)):
            url = self.snapshot.url
            message = (
                f"{url}: the PDF is a scan, {len(pages)} pages of pictures without text. Ask the source for a text."
            )
            raise ScannedDocument(message, url=url)
        return [[line.strip() for line in page.splitlines()] for page in pages]


def remove_running_heads(pages: Sequence[list[str]]) -> list[str]:
    """Return the lines of all pages without those that repeat at the top or the bottom, whatever their page number."""
    counts = Counter(
        key for page in pages for key in {_make_head_key(line) for line in _list_edges(page)} if key is not None
    )
    repeated = {key for key, count in counts.items() if count > 1 and count * 2 >= len(pages)}
    kept: list[str] = []
    for page in pages:
        edges = _list_edges(page)
        kept += [
            line
            for line in page
            if not (line in edges and (_make_head_key(line) in repeated or NUMBER.fullmatch(line.strip("-– "))))
        ]
    return kept


def _list_edges(page: list[str]) -> list[str]:
    filled = [line for line in page if line]
    return filled[:MAX_HEAD_LINES] + filled[-MAX_HEAD_LINES:]


def _make_head_key(line: str) -> str | None:
    return NUMBER.sub("#", line.casefold()) or None


def join_paragraphs(lines: Sequence[str]) -> list[str]:
    """Return paragraphs: a line that is about as long as the widest one continues in the next line."""
    width = max(map(len, lines), default=0)
    paragraphs: list[str] = []
    is_open = False
    for line in lines:
        if not line:
            is_open = False
            continue
        if is_open:
            last = paragraphs[-1]
            paragraphs[-1] = HYPHEN_END.sub("", last) + line if HYPHEN_END.search(last) else f"{last} {line}"
        else:
            paragraphs.append(line)
        is_open = len(line) > 0.75 * width or (len(line) > 0.6 * width and not SENTENCE_END.search(line))
    return paragraphs
