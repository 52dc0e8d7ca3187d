"""Every deliberate exception. Each says in one sentence what happened, where, and what to do.

    CrawlerError                 1   something unexpected
    ├── UsageError               2   a command, option or file name that cannot be meant
    │   ├── ConfigError          2   crawler.toml or CRAWLER_* says something unusable
    │   ├── RuleError            2   rules.toml says something unusable
    │   ├── UnknownSource        2   no source of that name
    │   └── NothingStored        2   a replay was asked of a folder or file that holds nothing for the source
    ├── SourceError                  what a source did to a run
    │   ├── Unreachable         10   no answer, or only answers of a broken server
    │   ├── Blocked             11   the site refuses us: a gate, a challenge, robots.txt, a JavaScript shell
    │   ├── PageChanged         12   a page no longer has the shape its page class knows
    │   ├── NotStored           12   a replay led to an address that is not stored
    │   └── Silent              13   nothing came where something was due
    ├── Held                    15   another run of the source goes on, here or on another host
    ├── ArchiveError             1   a WARC file that cannot be written, or is broken
    ├── NotAnArticle                 a page that rightly yields nothing (`/terms`, a shell of a section)
    └── Refused                      the house itself does not go there (private address, scheme, size)

A class's `exit_code` is what a command ends with; `worst()` picks one where several happened. 14 is no error's: a run
ended well, and may have missed something (`health.verdict`).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

EXIT_CODE_PRECEDENCE = (1, 2, 12, 11, 10, 13, 14, 15)
"""Exit codes, the one that outranks all first."""


class CrawlerError(Exception):
    """Something deliberate went wrong; `str()` is the sentence for a person."""

    exit_code = 1


class UsageError(CrawlerError):
    """The command, its options or its files cannot be meant as given."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration key or value is unusable; the sentence names file and line, or the key."""


class RuleError(UsageError):
    """A keyword rule is unusable; the sentence names file and line, or the rule."""


class UnknownSource(UsageError):
    """No source has this name."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        super().__init__(
            f"There is no source {name!r}{suggest_nearest(name, names) or '.'} Known sources: {', '.join(names)}."
        )


class NoSnapshots(UsageError):
    """A replay was asked of a place that holds nothing for the source."""


class SourceError(CrawlerError):
    """What a source did to a run; `url` is the address it happened at."""

    def __init__(self, message: str, *, url: str | None = None) -> None:
        super().__init__(message)
        self.url = url


class Unreachable(SourceError):
    """No answer, or only a broken server's; worth trying again later."""

    exit_code = 10


class Blocked(SourceError):
    """The site refuses us. It is reported and respected, never worked around."""

    exit_code = 11


class PageChanged(SourceError):
    """A page no longer has the shape its page class knows.

    `field` is the field that could not be read, `selector` what was looked for, `found` what stood there instead.
    """

    exit_code = 12

    def __init__(self, field: str, selector: str, found: str, url: str) -> None:
        super().__init__(
            f"{url}: the field {field!r} was looked for with {selector!r}, found {found}. "
            "The page may have a new shape: keep it with `crawler snapshot` and mend its page class.",
            url=url,
        )
        self.field, self.selector, self.found = field, selector, found


class MissingSnapshot(SourceError):
    """A replay led to an address that is not stored."""

    exit_code = 12


class NoArticles(SourceError):
    """Nothing came where something was due."""

    exit_code = 13


class SourceLocked(CrawlerError):
    """Another run of the source goes on, so that this one must not; it says nothing of the source."""

    exit_code = 15


class ArchiveError(CrawlerError):
    """The archive cannot be written (disk full, no permission), or a WARC file is broken."""


class NotAnArticle(CrawlerError):
    """A page that rightly yields no article; `str()` is the reason."""

    exit_code = 0


class ForbiddenTarget(CrawlerError):
    """The house does not go there: a private address, another scheme, a body past the cap."""

    exit_code = 11


def suggest_nearest(name: str, known: Iterable[str]) -> str:
    """A hint like ", did you mean 'mfa'?", or nothing when no known word is near."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f", did you mean {close[0]!r}?" if close else ""


def choose_exit_code(codes: Iterable[int]) -> int:
    """The exit code that outranks the others; 0 when there is none.

    >>> worst([13, 0, 11])
    11
    """
    seen = set(codes) - {0}
    for code in EXIT_CODE_PRECEDENCE:
        if code in seen:
            return code
    return 1 if seen else 0
