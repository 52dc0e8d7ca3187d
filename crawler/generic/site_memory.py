"""What the pages of one site have in common: where its text is, what repeats, what its titles share.

A memory is made of pages that were judged by all extractors. It helps to judge further pages, and where it alone found
the same text as the judges, it alone reads the page. It is a small JSON file that a person can read.
"""

from __future__ import annotations

import hashlib
import operator
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from crawler.errors import UsageError
from crawler.generic.enclosed_lists import add_enclosed_lists
from crawler.generic.page_lines import PageLine

FORMAT = 1
LEARNING_PAGES = 10
"""Pages from which a site is learned at first. Later ones are added as they are judged, up to MAX_PAGES."""
MAX_PAGES = 30
MIN_PAGES = 3
"""Pages from which a memory says anything."""
MIN_REPETITIONS = 2
"""Other pages on which a line must be to be the site's and not the article's."""
MIN_REPEATED_SHARE = 0.2
"""Share of the site's pages on which it must be."""
PATH_WEIGHT, REPEATED_WEIGHT = 1.0, 6.0
"""Log-odds that a place of the markup with only text adds, and that a repeated line loses."""
MIN_TEASER_WORDS, MIN_REPEATED_TEASERS = 6, 3
"""Words from which a paragraph may be a teaser; repeated paragraphs from which a place has teasers only."""
MAX_TEASER_SHARE = 1 / 3
"""Share of the learned texts that such a place has at most."""
NO_COUNTS = (0, 0, 0, 0)
CLASS_MARK = "."
INNERMOST_STEPS = 3
"""Innermost steps of a path by which a place is known under other outer elements: a site's pages differ in these."""
FULL_TRUST_WORDS = 60
"""Words at a place from which its share is sure."""
MIN_CONTENT_SHARE = 0.5
MIN_SURE_SHARE = 0.95
"""Share of text at a place where a line that is a link is text, too."""
MAX_LINK_SHARE = 0.8
MIN_TEMPLATE_CHECKS, CHECKS_THAT_COUNT = 2, 5
MIN_TEMPLATE_AGREEMENT, MIN_WORST_AGREEMENT = 0.95, 0.85
"""Mean and lowest similarity of the template's text to the judges' text on the last pages that both read."""
RECHECK_INTERVAL = 20
"""Every such page is judged again by all, although the template alone would do."""
LONG_LINE_WORDS = 15
MAX_UNKNOWN_SHARE = 0.15
"""Share of words at places that no learned page had, from which the template does not know a page."""
CHECKS_OF_A_CHANGE = 3
"""Pages in a row that must disagree before the site is learned again."""
MAX_LAYOUT_CHANGES, REPORTED_DAYS = 10, 14
MIN_LENGTH_FACTOR, MAX_LENGTH_FACTOR = 0.4, 2.5
"""How much shorter or longer than every learned text a text may be before the page is judged by all."""


@dataclass
class SiteMemory:
    """What is known about a site.

    `pages` has the number of words of each learned page's text by the page's key. `paths` has four counts of each place
    of the markup: words that are text, all words, paragraphs where a page has several, and those of them that an
    earlier page had. `lines` has the number of pages of each line by its digest, `parts` that of each title's part.
    `agreements` has the similarity of the template's text to the judges' text on recognised pages, the newest last.
    `odd_agreements` has that of the latest consecutive pages with another layout.
    `unchecked` counts the pages since the last check. `layout_changes` are the days (ISO 8601) on which the text was no
    longer where it had been learned. `max_pages` are learned at most, and none while `is_frozen`.
    """

    site: str
    pages: dict[str, int] = field(default_factory=dict)
    paths: dict[str, list[int]] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    parts: dict[str, int] = field(default_factory=dict)
    agreements: list[float] = field(default_factory=list)
    odd_agreements: list[float] = field(default_factory=list)
    unchecked: int = 0
    layout_changes: list[str] = field(default_factory=list)
    max_pages: int = field(default=MAX_PAGES, compare=False)
    is_frozen: bool = field(default=False, compare=False)

    @property
    def is_known(self) -> bool:
        """Whether enough pages were learned to judge others by them."""
        return len(self.pages) >= MIN_PAGES

    @property
    def is_template_reliable(self) -> bool:
        """Whether the memory alone found the same text as the judges on the last pages that it recognised."""
        last = self.agreements
        if not self.is_known or len(last) < MIN_TEMPLATE_CHECKS:
            return False
        return sum(last) / len(last) >= MIN_TEMPLATE_AGREEMENT and min(last) >= MIN_WORST_AGREEMENT

    @property
    def needs_check(self) -> bool:
        """Whether it is time to judge a page by all again."""
        return self.unchecked >= RECHECK_INTERVAL

    @property
    def title_parts(self) -> list[str]:
        """The parts that the titles of several pages share."""
        return [part for part, count in self.parts.items() if count > MIN_REPETITIONS]

    @cached_property
    def _containers(self) -> Mapping[str, list[int]]:
        return self._sum_places(lambda path: path.rpartition("/")[0])

    @cached_property
    def _endings(self) -> Mapping[str, list[int]]:
        return self._sum_places(get_innermost_steps)

    def _forget_sums(self) -> None:
        self.__dict__.pop("_containers", None)
        self.__dict__.pop("_endings", None)

    def _sum_places(self, make_key: Callable[[str], str]) -> Mapping[str, list[int]]:
        found: dict[str, list[int]] = {}
        for path, counts in self.paths.items():
            key = make_key(path)
            found[key] = list(map(operator.add, found.get(key, NO_COUNTS), counts))
        return found

    def is_repeated(self, line: PageLine, key: str) -> bool:
        """Return whether a line of a page is on enough other pages of the site."""
        count = self.lines.get(make_line_digest(line), 0) - (key in self.pages)
        return count >= MIN_REPETITIONS and count >= MIN_REPEATED_SHARE * len(self.pages)

    def find_share(self, line: PageLine) -> tuple[float, int] | None:
        """Return the share of text at a line's place and the words that show it.

        An unknown place counts as the place around it, or as those that have the same innermost elements, one of which
        has a class.
        """
        counts = self.paths.get(line.path) or self._containers.get(line.container)
        if not counts and CLASS_MARK in (innermost := get_innermost_steps(line.path)):
            counts = self._endings.get(innermost)
        if not counts or not counts[1]:
            return None
        return 0.0 if self._has_teasers(counts) else counts[0] / counts[1], counts[1]

    def _has_teasers(self, counts: Sequence[int]) -> bool:
        """Return whether a place has teasers: paragraphs that repeat on other pages, and of which some were no text.

        Most of the text is elsewhere: an article that is on several learned pages is no teaser.
        """
        content, total, paragraphs, repeated = counts
        is_repeated = repeated >= max(MIN_REPEATED_TEASERS, MIN_REPEATED_SHARE * paragraphs)
        is_doubtful = content < MIN_SURE_SHARE * total
        return is_repeated and is_doubtful and content <= MAX_TEASER_SHARE * sum(self.pages.values())

    def adjust_scores(self, lines: Sequence[PageLine], scores: Sequence[float], key: str) -> list[float]:
        """Return the log-odds of a page's lines with what the site's other pages say."""
        adjusted = []
        for line, score in zip(lines, scores, strict=True):
            change = -REPEATED_WEIGHT if self.is_repeated(line, key) else 0.0
            if found := self.find_share(line):
                share, words = found
                change += PATH_WEIGHT * (2 * share - 1) * min(words / FULL_TRUST_WORDS, 1.0)
            adjusted.append(score + change)
        return adjusted

    def read_by_template(self, lines: Sequence[PageLine], key: str) -> list[bool]:
        """Return for each line whether it is at a place for text, or in a list there, and not repeated."""
        chosen = [
            (found := self.find_share(line)) is not None
            and found[0] >= MIN_CONTENT_SHARE
            and (line.link_share <= MAX_LINK_SHARE or (found[0] >= MIN_SURE_SHARE and found[1] >= FULL_TRUST_WORDS))
            and not self.is_repeated(line, key)
            for line in lines
        ]
        completed = add_enclosed_lists(lines, chosen)
        return [
            is_chosen or (is_added and not self.is_repeated(line, key))
            for line, is_chosen, is_added in zip(lines, chosen, completed, strict=True)
        ]

    def recognises(self, lines: Sequence[PageLine], chosen: Sequence[bool]) -> bool:
        """Return whether a page looks like those that were learned: by its places and the length of its text."""
        size = sum(len(line.words) for line, is_chosen in zip(lines, chosen, strict=True) if is_chosen)
        unknown = sum(
            len(line.words)
            for line in lines
            if len(line.words) >= LONG_LINE_WORDS and line.link_share <= MAX_LINK_SHARE and not self.find_share(line)
        )
        sizes = self.pages.values()
        is_usual = MIN_LENGTH_FACTOR * min(sizes) <= size <= MAX_LENGTH_FACTOR * max(sizes)
        return size > 0 and is_usual and unknown <= MAX_UNKNOWN_SHARE * size

    def learn_page(self, key: str, lines: Sequence[PageLine], chosen: Sequence[bool], parts: Iterable[str]) -> None:
        """Add a judged page, unless it was learned before or enough pages were."""
        if self.is_frozen or key in self.pages or len(self.pages) >= self.max_pages:
            return
        self.pages[key] = sum(len(line.words) for line, is_chosen in zip(lines, chosen, strict=True) if is_chosen)
        is_complete = len(self.pages) <= LEARNING_PAGES  # a saved memory of more pages drops lines
        teasers = Counter(line.path for line in lines if len(line.words) >= MIN_TEASER_WORDS)
        for line, is_chosen in zip(lines, chosen, strict=True):
            counts = self.paths.setdefault(line.path, list(NO_COUNTS))
            counts[0] += is_chosen * len(line.words)
            counts[1] += len(line.words)
            if is_complete and len(line.words) >= MIN_TEASER_WORDS and teasers[line.path] > 1:
                counts[2] += 1
                counts[3] += make_line_digest(line) in self.lines
        for digest in {make_line_digest(line) for line in lines}:
            self.lines[digest] = self.lines.get(digest, 0) + 1
        for part in set(parts):
            self.parts[part] = self.parts.get(part, 0) + 1
        self._forget_sums()

    def record_check(self, agreement: float, *, is_recognised: bool) -> None:
        """Record how much the template's text was like the judges' text, and whether the page looked as learned."""
        if self.is_frozen:
            return
        rounded = round(agreement, 3)
        self.odd_agreements = [*self.odd_agreements, rounded][-CHECKS_THAT_COUNT:] if self.is_odd(agreement) else []
        if is_recognised:
            self.unchecked = 0
            self.agreements = [*self.agreements, rounded][-CHECKS_THAT_COUNT:]

    def record_unchecked(self) -> None:
        """Count a page that the template alone read."""
        if not self.is_frozen:
            self.unchecked, self.odd_agreements = self.unchecked + 1, []

    @property
    def has_lost_layout(self) -> bool:
        """Whether the last pages had their text at other places than the learned ones, which had been right before."""
        return len(self.odd_agreements) >= CHECKS_OF_A_CHANGE

    def is_odd(self, agreement: float) -> bool:
        """Whether a page has another layout than the learned one. Such a page is not learned: it would blur both."""
        was_right = self.is_known and max(self.agreements, default=0.0) >= MIN_TEMPLATE_AGREEMENT
        return was_right and agreement < MIN_WORST_AGREEMENT

    def begin_again(self, day: date) -> None:
        """Forget the learned pages, because the site has a new layout since a day. Titles still share their parts."""
        self.pages, self.paths, self.lines, self.unchecked = {}, {}, {}, 0
        self.agreements, self.odd_agreements = [], []
        self.layout_changes = [*self.layout_changes, day.isoformat()][-MAX_LAYOUT_CHANGES:]
        self._forget_sums()

    def describe_layout(self, today: date) -> list[str]:
        """Return a sentence for a change of the layout that was noticed lately, and one for places that fail now."""
        recent = [day for day in self.layout_changes if (today - date.fromisoformat(day)).days <= REPORTED_DAYS]
        notes = [
            f"the layout changed: on {day} texts were no longer where they had been learned" for day in recent[-1:]
        ]
        if self.odd_agreements:
            share = self.odd_agreements[-1]
            notes.append(f"the learned places gave {share:.0%} of the last page's text: all extractors read such pages")
        return notes

    def to_dict(self) -> dict[str, Any]:
        """Return the memory for JSON, the places with most text first. A learned site drops lines of one page."""
        is_full = len(self.pages) >= LEARNING_PAGES
        return {
            "format": FORMAT,
            "site": self.site,
            "template_is_reliable": self.is_template_reliable,
            "agreements": self.agreements,
            "odd_agreements": self.odd_agreements,
            "unchecked": self.unchecked,
            "layout_changes": self.layout_changes,
            "pages": self.pages,
            "title_parts": {part: count for part, count in self.parts.items() if count > 1 or not is_full},
            "places": dict(sorted(self.paths.items(), key=lambda item: -item[1][0])),
            "lines": {digest: count for digest, count in self.lines.items() if count > 1 or not is_full},
        }


def make_memory(values: Mapping[str, Any], name: str) -> SiteMemory:
    """Return the memory of a JSON object. Raise UsageError, with the file's name, for anything else."""
    try:
        if values["format"] != FORMAT:
            raise UsageError(f"The site memory {name} has another format: delete it, and the site is learned again.")
        return SiteMemory(
            site=str(values["site"]),
            pages={str(key): int(count) for key, count in values["pages"].items()},
            paths={str(path): _read_counts(counts) for path, counts in values["places"].items()},
            lines={str(digest): int(count) for digest, count in values["lines"].items()},
            parts={str(part): int(count) for part, count in values["title_parts"].items()},
            agreements=[float(value) for value in values["agreements"]],
            odd_agreements=[float(value) for value in values.get("odd_agreements", [])],
            unchecked=int(values["unchecked"]),
            layout_changes=[date.fromisoformat(day).isoformat() for day in values.get("layout_changes", [])],
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise UsageError(f"The site memory {name} is damaged: delete it, and the site is learned again.") from error


def _read_counts(counts: Sequence[int]) -> list[int]:
    """Return the counts of a place. Former files have the words alone."""
    content, total, paragraphs, repeated = [*counts, 0, 0] if len(counts) == 2 else counts
    return [int(content), int(total), int(paragraphs), int(repeated)]


def get_innermost_steps(path: str) -> str:
    """Return the last INNERMOST_STEPS steps of a path."""
    return "/".join(path.rsplit("/", INNERMOST_STEPS)[-INNERMOST_STEPS:])


def make_line_digest(line: PageLine) -> str:
    """Return a short digest of a line's words."""
    return hashlib.blake2b(" ".join(line.words).encode(), digest_size=6).hexdigest()
