"""Read the records of a page one by one, so that a broken one is a problem and does not affect the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from crawler.errors import SourceError
from crawler.items import Article
from crawler.pages.base import Page, make_reading_error
from crawler.pages.site import Finding, Reading


class RecordReader:
    """Reads the records of one page. `part` is what an error calls a record: `post`, `entry`.

    `absence` says what a record without an article lacks.
    """

    def __init__(self, page: Page, part: str, absence: str = "has no text") -> None:
        self.page_class, self.part, self.absence = type(page).__name__, part, absence
        self.problems: list[SourceError] = []
        self.skipped: list[str] = []

    def read(self, url: str, read_record: Callable[[], Article | None]) -> Article | None:
        """Return the article of the record at an address. None: it has none, or it is broken."""
        try:
            article = read_record()
        except Exception as error:  # noqa: BLE001 - one record must not cost the others
            self.problems.append(make_reading_error(error, self.part, url))
            return None
        if article is None:
            self.skipped.append(f"{url} {self.absence}")
        return article

    def make_reading(
        self,
        articles: Sequence[Article],
        *,
        entry_count: int,
        native_ids: Sequence[str],
        findings: Sequence[Finding] = (),
    ) -> Reading:
        """Return the reading of the page with these articles."""
        return Reading(
            page_class=self.page_class,
            articles=tuple(articles),
            problems=tuple(self.problems),
            skipped=tuple(self.skipped),
            findings=tuple(findings),
            entry_count=entry_count,
            published_times=tuple(article.published_at for article in articles if article.published_at),
            native_ids=tuple(native_ids),
        )
