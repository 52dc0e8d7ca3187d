"""`-o FILE`: the run's articles through Scrapy's own exporters; the file is there whole, or not at all."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from crawler.errors import UsageError
from crawler.items import Article, Verdict, format_time
from crawler.publish.atomic_write import open_atomic, resolve_output_path

ARTICLE_FILE_SUFFIXES = (".jsonl", ".json", ".csv", ".xml")
WRITTEN_VERDICTS = (Verdict.NEW, Verdict.REVISED, Verdict.COPY, Verdict.UNPUBLISHED, Verdict.REPUBLISHED)


class ArticleFile:
    """A file of articles: those with something to tell (`TOLD`) and a strong match, or with `everything` all of them.

    They stand by source, and there as their pages stand in the archive, so that a run replayed gives the same file.
    Without a path it does nothing. UsageError for an ending that says no format, or a place that cannot be written.
    """

    def __init__(self, path: Path | None, everything: bool) -> None:
        self.path, self.everything = path, everything
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

        self.whole = open_atomic(self.path)
        self.exporter = make_exporter(self.path.suffix.lower(), self.whole.__enter__())
        self.exporter.start_exporting()
        return self

    def add(self, event: dict[str, Any]) -> None:
        """Write an `article` event, if it is wanted."""
        if self.path is None:
            return
        article = Article.from_dict(event)
        if self.everything or (article.verdict in WRITTEN_VERDICTS and article.is_matched):
            self.articles.append(article)

    def abandon(self) -> None:
        """Leave what stands in the file's place as it is: no source could be read."""
        self.is_abandoned = True

    @property
    def count(self) -> int:
        """Articles taken so far."""
        return len(self.articles)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.path is None:
            return
        if kind is not None or self.is_abandoned:
            given = error or UsageError("nothing to write")
            with suppress(UsageError):  # what went wrong is told by itself
                self.whole.__exit__(type(given), given, at)
            return
        for article in sorted(self.articles, key=_archive_order):
            self.exporter.export_item(article)
        self.exporter.finish_exporting()
        self.whole.__exit__(None, None, None)


def _archive_order(article: Article) -> tuple[str, str, str, int]:
    """Where an article's page stands: pages without a record of the archive stay as they came."""
    ref = article.snapshot
    if ref is None or ref.offset is None or article.fetched_at is None:
        return article.source, "", "", 0
    return article.source, format_time(article.fetched_at) or "", ref.file or "", ref.offset
