"""All deliberate exceptions. The message says in one sentence what failed, where, and what to do.

    CrawlerError                 1   an unexpected failure
    ├── UsageError               2   a command, option or file name that makes no sense
    │   ├── ConfigError          2   crawler.toml or CRAWLER_* has an unusable value
    │   │   └── BadTemplate     18   a template of messages or reviews cannot be used
    │   ├── RuleError            2   rules.toml has an unusable rule
    │   ├── FileChanged          2   somebody changed the file meanwhile
    │   ├── UnknownSource        2   no source has this name
    │   ├── SpiderFileError      2   a file in crawler/spiders/ is no source, or cannot be imported
    │   ├── DefinitionError      2   a file in sources/ cannot be used
    │   ├── TooManyRows          2   an export has more rows than its format can have
    │   └── NoSnapshots          2   the folder or file to replay has nothing for the source
    ├── SourceError                  the source made the run fail
    │   ├── Unreachable         10   no answer, or only errors of a broken server
    │   ├── Blocked             11   the site refuses us: a gate, a challenge, robots.txt, a JavaScript shell
    │   ├── PageChanged         12   a page no longer has the shape that its page class knows
    │   ├── ScannedDocument     12   a PDF is made of pictures, without text
    │   ├── MissingSnapshot     12   a replay requested a URL that is not stored
    │   └── NoArticles          13   a list or a run had no articles where some were due
    ├── SourceLocked            15   another run of the source is active, here or on another host
    │   └── LeaseLost           15   a run was silent for so long that another run of its source replaced it
    ├── EmptyStore              16   the store is empty, but the archive beside it has records
    ├── StoreError              17   the store was lost while in use: server gone, file deleted, disk full or broken
    ├── StoreInconsistent       20   `crawler store check` found what should never be in a store
    ├── PortTaken               19   another program listens where the pages should be
    ├── ArchiveError             1   a WARC file that cannot be written, or is broken
    │   └── ObjectStorageError  21   the storage of closed WARC files cannot be reached, or refuses access
    ├── NotAnArticle                 a page that rightly has no article (`/terms`, a section's shell)
    └── ForbiddenTarget         11   a URL that the crawler refuses (private address, scheme, size)

A command ends with the `exit_code` of an error's class. `choose_exit_code` picks one of several. No error has 14: a run
that ended well may have missed something (`monitoring.run_health`).
"""

from __future__ import annotations

import difflib
import shlex
import sys
from collections.abc import Iterable
from typing import ClassVar

from crawler.text.cleaning import clean_line, remove_unseen_characters

EXIT_CODE_PRECEDENCE = (17, 1, 20, 2, 18, 19, 21, 16, 12, 11, 10, 13, 14, 15)
"""All exit codes but 0. Earlier ones win over later ones."""
CODE_REPAIR = "The page may have a new shape: keep it with `crawler snapshot` and mend its page class."
MIN_SUGGESTION_SIMILARITY = 0.5


class CrawlerError(Exception):
    """A deliberate error. `str()` is the message for a person, without unseen characters: it may quote a site."""

    exit_code = 1
    kind: ClassVar[str] = "CrawlerError"
    """The name under which problems of this class are stored and printed. It outlives a renamed class."""
    may_have_lines: ClassVar[bool] = False
    """Whether the message may have several lines. A site's text in a message of one line cannot forge another line."""

    def __init__(self, message: object = "") -> None:
        """Clean the message."""
        text = str(message)
        super().__init__(remove_unseen_characters(text) if self.may_have_lines else clean_line(text))

    def __init_subclass__(cls, *, kind: str | None = None) -> None:
        """Set the stored name, which is the class's name unless `kind` is given."""
        super().__init_subclass__()
        cls.kind = kind or cls.__name__


class UsageError(CrawlerError):
    """The command, its options or its files make no sense."""

    exit_code = 2
    may_have_lines = True


class ConfigError(UsageError):
    """A configuration key or value is unusable. The message names file and line, or the key."""


class BadTemplate(ConfigError):
    """A template of messages, digests or press reviews cannot be used. The message names the file and the place."""

    exit_code = 18


class RuleError(UsageError):
    """A keyword rule is unusable. The message names file and line, or the rule."""


class FileChanged(UsageError):
    """A file to change is not as it was when its content was shown. Nothing was written."""


class UnknownSource(UsageError):
    """No source has this name."""

    def __init__(self, name: str, known: Iterable[str], *, where: str | None = None) -> None:
        """Name the unknown source, the nearest known one, and all known ones. `where` is file and line."""
        names = sorted(known)
        hint = suggest_nearest(name, names) or "."
        there = f"{where}: there" if where else "There"
        super().__init__(f"{there} is no source {name!r}{hint} Known sources: {', '.join(names)}.")


class SpiderFileError(UsageError):
    """A file in `crawler/spiders/` is no source. The message names the file and says why."""


class DefinitionError(UsageError):
    """A source definition (`sources/NAME.toml`) is unusable. The message names file and line."""


class TooManyRows(UsageError):
    """An export has more rows than its format can have. Nothing was written."""


class NoSnapshots(UsageError, kind="NothingStored"):
    """The folder or file to replay has nothing for the source."""


class SourceError(CrawlerError):
    """The source made the run fail. `url` is where."""

    def __init__(self, message: str, *, url: str | None = None) -> None:
        """Set the message and the URL (None when no single page failed). The message may quote the site."""
        super().__init__(message)
        self.url = url


class Unreachable(SourceError):
    """No answer, or only errors of a broken server. A later try may succeed.

    `reason` is the clause in the message that says what failed, `advice` the sentence after it, for a message about
    what depends on this request. Both are empty where the message has only one part.
    """

    exit_code = 10

    def __init__(self, message: str, *, url: str | None = None, reason: str = "", advice: str = "") -> None:
        """Set the message and its parts."""
        super().__init__(message, url=url)
        self.reason, self.advice = reason, advice


class Blocked(SourceError):
    """The site refuses us. The crawler reports and respects this, and never works around it."""

    exit_code = 11


class PageChanged(SourceError):
    """A page no longer has the shape that its page class knows.

    `field` is the field that could not be read, `selector` what was looked for, `found` what was there instead.
    """

    exit_code = 12

    def __init__(self, field: str, selector: str, found: str, url: str, *, repair: str = "", advice: str = "") -> None:
        """Build the message from the field, the selector and what was found at the URL.

        `repair` is the sentence that says how to mend a source without code. `advice` ends the message.
        """
        super().__init__(
            f"{url}: the field {field!r} was looked for with {selector!r}, found {found.rstrip('.')}. "
            + (repair or CODE_REPAIR)
            + (f" {advice}" if advice else ""),
            url=url,
        )
        self.repair = repair
        self.field, self.selector, self.found = field, selector, found


class ScannedDocument(SourceError):
    """A document is made of pictures: it has no text that could be read."""

    exit_code = 12


class MissingSnapshot(SourceError, kind="NotStored"):
    """A replay requested a URL that is not stored."""

    exit_code = 12


class NoArticles(SourceError, kind="Silent"):
    """A list or a run had no articles where some were due."""

    exit_code = 13


class SourceLocked(CrawlerError, kind="Held"):
    """Another run of the source is active, so this one must not start. It is no fault of the source."""

    exit_code = 15


class LeaseLost(SourceLocked):
    """A run was silent for so long that its source was given to another run. It can store nothing more."""


class EmptyStore(CrawlerError):
    """The store is empty, but the archive beside it has records: the database was lost."""

    exit_code = 16


class StoreError(CrawlerError):
    """The store cannot be read or written any more: its server is gone, its file was deleted, or its disk fails."""

    exit_code = 17


class StoreInconsistent(CrawlerError):
    """The store or its archive has something that should never be."""

    exit_code = 20


class PortTaken(CrawlerError):
    """Another program listens at the address of the web pages."""

    exit_code = 19


class ArchiveError(CrawlerError):
    """The archive cannot be written (disk full, no permission), or a WARC file is broken.

    `url` is that of the only record that cannot be read, else None. `is_removed`: the retention policy removed it.
    """

    def __init__(self, message: str, *, url: str | None = None, is_removed: bool = False) -> None:
        """Set the message, the URL and the cause."""
        super().__init__(message)
        self.url, self.is_removed = url, is_removed


class ObjectStorageError(ArchiveError):
    """The storage of closed WARC files cannot be reached, or refuses access."""

    exit_code = 21


class NotAnArticle(CrawlerError):
    """A page that rightly has no article. `str()` is the reason."""

    exit_code = 0


class ForbiddenTarget(CrawlerError, kind="Refused"):
    """The crawler refuses the URL: a private address, another scheme, a body above the size limit (`is_too_large`)."""

    exit_code = 11

    def __init__(self, message: object = "", *, is_too_large: bool = False) -> None:
        """Set the message."""
        super().__init__(message)
        self.is_too_large = is_too_large


def suggest_nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint such as ", did you mean 'mfa'?", or "" when no known name is similar."""
    nearest = difflib.get_close_matches(name, list(known), n=1, cutoff=MIN_SUGGESTION_SIMILARITY)
    return f", did you mean {nearest[0]!r}?" if nearest else ""


def format_install_advice(extra: str) -> str:
    """Return how to install an optional extra for this Python: another one may be first in the PATH."""
    return f'Run in the project\'s folder: {shlex.quote(sys.executable)} -m pip install ".[{extra}]"'


def choose_exit_code(codes: Iterable[int]) -> int:
    """Return the code that wins over the others, or 0 when there is none.

    >>> choose_exit_code([13, 0, 11])
    11
    """
    failures = set(codes) - {0}
    for code in EXIT_CODE_PRECEDENCE:
        if code in failures:
            return code
    return 1 if failures else 0
