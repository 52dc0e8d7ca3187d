"""The canary: a known page as it is today against what it was, to tell a changed site from an old fixture.

What an editor may change (the words) makes a fixture old. What an editor does not change (who the article is, when it
was published, that it has the fields it had, most of its words) says that the site is no longer read as it was.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from crawler.errors import Blocked, NotAnArticle, SourceError, Unreachable
from crawler.extract.page import read
from crawler.extract.site import Reading, Site
from crawler.items import Article
from crawler.pipelines.validate import flaw
from crawler.replay.suggestion import Changed, suggest
from crawler.snapshot import Snapshot
from crawler.source import GONE

STABLE = ("id", "published_at")
"""Fields that no edit changes."""
LASTING = ("title", "lead", "section", "place", "author", "attribution", "images", "reading_minutes")
"""Fields that may be worded anew, and do not vanish."""
LEFT = 0.5
"""Share of a text's words that an edit leaves; below it, another part of the page is taken for the text."""
GROWN = 2.0
"""How many times as long a text may become by an edit."""
SLACK = 500
"""Characters a short text may grow by all the same."""


class Word(StrEnum):
    """What is said of a page class."""

    EXPECTED = "as expected"
    CHANGED = "site changed"
    OLD = "fixture old"
    EMPTY = "list empty"
    BLOCKED = "blocked"
    UNREACHABLE = "unreachable"
    FAILED = "failed"
    UNCHECKED = "not checked"


CODES = {Word.CHANGED: 12, Word.EMPTY: 13, Word.BLOCKED: 11, Word.UNREACHABLE: 10, Word.FAILED: 1}
"""Exit codes, as a run's; 0 for the other words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A page that was read well before. `page_class` read it; `article` is what it gave, None for a list; `name` says
    where that is kept, `since` when it was read. One that is not `certain` may be of another class."""

    page_class: str
    url: str
    name: str
    article: Article | None = None
    since: datetime | None = None
    certain: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a page class is found to be, by one page of it; `why` is a sentence. `suggestions` say where the
    fields of a page that is no longer read may stand now."""

    source: str
    page_class: str
    word: Word
    why: str
    url: str | None = None
    gone: bool = False
    suggestions: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """As a run's."""
        return CODES.get(self.word, 0)


def judge(known: Known, page: Snapshot, site: Site) -> Finding:
    """What one live page says of the class that knew it, and where fields may stand if it changed."""
    finding = _judged(known, page, site)
    if finding.word is not Word.CHANGED or known.article is None or page.kind != "html":
        return finding
    found = suggest([Changed(page, known.article, site.zone)])
    return replace(finding, suggestions=tuple(str(each) for each in found))


def _judged(known: Known, page: Snapshot, site: Site) -> Finding:
    """What one live page says of the class that knew it. A list may be short: what a source's lists must show
    (`Expect.least_links`) they show together, in a run."""
    finding = Finding(source=site.name, page_class=known.page_class, word=Word.EXPECTED, why="", url=known.url)
    try:
        reading = read(page, site)
    except NotAnArticle as reason:
        return _none(finding, known, page, reason)
    except SourceError as error:
        return replace(finding, word=word_of(error), why=str(error))
    if reading.problems:
        return replace(finding, word=Word.CHANGED, why=str(reading.problems[0]))
    if reading.page != known.page_class and not known.certain:
        return replace(finding, word=Word.UNCHECKED, why=f"it is read by {reading.page}.")
    if reading.page != known.page_class:
        why = f"it is read by {reading.page} now, no longer by {known.page_class}."
        return replace(finding, word=Word.CHANGED, why=why)
    if known.article is None:
        return _of_list(finding, reading)
    if len(reading.articles) != 1:
        return replace(finding, word=Word.CHANGED, why=f"it gives {len(reading.articles)} articles, where it was one.")
    return _of_article(finding, known, known.article, reading.articles[0])


def word_of(error: SourceError) -> Word:
    """The word for what a page is instead of what it was."""
    if isinstance(error, Blocked):
        return Word.BLOCKED
    return Word.UNREACHABLE if isinstance(error, Unreachable) else Word.CHANGED


def changed(then: Article, now: Article) -> str | None:
    """Why an article is no longer read as it was; None where an edit explains all that differs."""
    for name in STABLE:
        old, new = getattr(then, name), getattr(now, name)
        if old != new:
            return f"{name} was {old} and is {new}, which no edit changes."
    if lost := [name for name in LASTING if getattr(then, name) and not getattr(now, name)]:
        return f"{', '.join(lost)} {'was' if len(lost) == 1 else 'were'} there and is not found."
    if now.fetched_at and (found := flaw(now, now.fetched_at)):
        return f"the field {found[0]!r} should be {found[1]}; there stands {found[2]}."
    share = _left(then.body, now.body)
    if share < LEFT:
        return f"only {share:.0%} of the words of its text are left."
    if len(now.body) > GROWN * len(then.body) + SLACK:
        return f"its text grew from {len(then.body)} to {len(now.body)} characters."
    return None


def edited(then: Article, now: Article) -> list[str]:
    """The fields of a page that were worded anew."""
    return [name for name in ("title", "lead", "body", *LASTING[2:]) if getattr(then, name) != getattr(now, name)]


def _none(finding: Finding, known: Known, page: Snapshot, reason: NotAnArticle) -> Finding:
    if page.status in GONE and known.article is not None:
        return replace(finding, word=Word.OLD, why=f"{reason} That says nothing of the site's shape.", gone=True)
    return replace(finding, word=Word.CHANGED, why=str(reason))


def _of_list(finding: Finding, reading: Reading) -> Finding:
    if not reading.entries:
        return replace(finding, word=Word.EMPTY, why="it lists nothing.")
    return replace(finding, why=f"it lists {reading.entries} entries.")


def _of_article(finding: Finding, known: Known, then: Article, now: Article) -> Finding:
    if why := changed(then, now):
        return replace(finding, word=Word.CHANGED, why=why)
    day = f" since {known.since:%Y-%m-%d}" if known.since else ""
    if fields := edited(then, now):
        why = f"the page is read well, and was edited{day}: {', '.join(fields)} differ from {known.name}."
        return replace(finding, word=Word.OLD, why=why)
    return replace(finding, why=f"it is as in {known.name}.")


def _left(then: str, now: str) -> float:
    """The share of a text's words that stand in another."""
    old, new = Counter(re.findall(r"\w+", then.casefold())), Counter(re.findall(r"\w+", now.casefold()))
    return (old & new).total() / max(1, old.total())
