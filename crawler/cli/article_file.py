"""`crawler crawl -o FILE`: write a run's articles with Scrapy's exporters, as a whole file or not at all."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from crawler.errors import UsageError
from crawler.items import Article, Verdict, format_time
from crawler.publish.atomic_write import open_atomic, resolve_output_path

ARTICLE_FILE_SUFFIXES = (".jsonl", ".json", ".csv", ".xlsx", ".xml")
WRITTEN_VERDICTS = (Verdict.NEW, Verdict.REVISED, Verdict.COPY, Verdict.UNPUBLISHED, Verdict.REPUBLISHED)


class ArticleFile:
    """A file of articles that have one of WRITTEN_VERDICTS and a strong match, or of all articles with `everything`.

    Articles are in the order of sources and, within a source, of their archive records, so that a replay writes the
    same file. Times in Excel are those of the time zone. Without a path, nothing is written. The constructor raises
    UsageError for a suffix that is no format, and for a place that cannot be written to.
    """

    def __init__(self, path: Path | None, everything: bool, timezone: str) -> None:
        self.path, self.everything, self.timezone = path, everything, timezone
        self.articles: list[Article] = []
        self.is_abandoned = False
        if path is None:
            return
        if path.suffix.lower() not in ARTICLE_FILE_SUFFIXES:
            raise UsageError(f"-o {path}: the ending must be one of {', '.join(ARTICLE_FILE_SUFFIXES)}.")
        resolve_output_path(path)

    def __enter__(self) -> Self:
        if self.path is None:
            return self
        from crawler.publish.item_exporters import make_exporter
        from crawler.text.dates import load_time_zone

        self.file = open_atomic(self.path)
        self.exporter = make_exporter(self.path.suffix.lower(), self.file.__enter__(), load_time_zone(self.timezone))
        self.exporter.start_exporting()
        return self

    def add(self, event: dict[str, Any]) -> None:
        """Add the article of an `article` event, if it belongs in the file."""
        if self.path is None:
            return
        article = Article.from_dict(event)
        if self.everything or (article.verdict in WRITTEN_VERDICTS and article.is_matched):
            self.articles.append(article)

    def abandon(self) -> None:
        """Write nothing: a file that is there already stays as it is."""
        self.is_abandoned = True

    @property
    def count(self) -> int:
        """Articles added so far."""
        return len(self.articles)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.path is None:
            return
        if kind is not None or self.is_abandoned:
            cause = error or UsageError("nothing to write")
            with suppress(UsageError):  # the caller reports the cause
                self.file.__exit__(type(cause), cause, at)
            return
        try:
            for article in sorted(self.articles, key=_archive_order):
                self.exporter.export_item(article)
            self.exporter.finish_exporting()
        except BaseException as failure:  # such as TooManyRows
            self.file.__exit__(type(failure), failure, failure.__traceback__)
            raise
        self.file.__exit__(None, None, None)


def _archive_order(article: Article) -> tuple[str, str, str, int]:
    """Return the sort key of an article's archive record. Articles without a record keep the order they came in."""
    ref = article.snapshot
    if ref is None or ref.offset is None or article.fetched_at is None:
        return article.source, "", "", 0
    return article.source, format_time(article.fetched_at) or "", ref.file or "", ref.offset
