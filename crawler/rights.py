"""The one door to article text that leaves this machine: alerts, digests, feeds, exports.

A source's rights say which share of the characters of an article's `body` an output may carry; title and lead are shown
once and count in neither the share nor what it is a share of. A headline made from the body counts, and so does a lead
that is a piece of it. Everything that one output takes of one article, in whatever pieces and versions, stays together
within the share, so an output makes one `Door` and takes all text through it. The sentence with the match comes first.

Owner's working copies (`articles`, `diff`, `extract`, `crawl -o`, evidence) stay whole: they do not leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from urllib.parse import urlsplit

from crawler import spiders
from crawler.config import Config
from crawler.errors import ConfigError
from crawler.items import Article, Match, Rights, Strength
from crawler.text.sentences import locate_sentence
from crawler.text.spans import (
    TextSpan,
    enclose_spans,
    find_word_end,
    find_word_start,
    intersect_spans,
    measure_span,
    merge_spans,
)

DEFAULT_RIGHTS = Rights(excerpt_share=0.3, link_required=True, wording=None, source=None)
"""Of a source that is not known (any more), or says nothing."""
ELLIPSIS = "…"
MAX_HEADLINE_LENGTH = 120
"""Most characters of a headline made from the body."""
MIN_PIECE_LENGTH = 20
"""Characters below which a piece that was cut says nothing and is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of a body. `marks` are where matched words stand in `text`; `before` and `after` say whether the
    article goes on there."""

    text: str
    marks: tuple[TextSpan, ...] = ()
    before: bool = False
    after: bool = False

    @property
    def ends(self) -> tuple[str, str]:
        """What stands before and behind the text: an ellipsis wherever the article goes on."""
        return f"{ELLIPSIS} " if self.before else "", _format_end(self.text) if self.after else ""

    @property
    def quoted(self) -> str:
        """The text with its ends."""
        return self.text.join(self.ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """What an output may show of an article's body: the pieces with matches, then the opening. `whole` says that it is
    all of it."""

    pieces: tuple[Piece, ...] = ()
    whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """What has to stand beside a text: `share` is the largest share of it, `reference` whom to name."""

    share: float
    link_required: bool
    reference: str | None
    attribution: str | None


class RightsRegistry:
    """Each source's rights under one configuration. ConfigError for a larger share without a permission."""

    def __init__(self, config: Config) -> None:
        self._rights = {name: spiders.load_spider(name).get_rights(config) for name in spiders.list_names()}
        origins = {name: spiders.load_spider(name).origins for name in self._rights}
        self._hosts = {urlsplit(each).hostname or "": name for name, many in origins.items() for each in many}
        for name, rights in self._rights.items():
            own = spiders.load_spider(name).rights.excerpt_share
            if rights.excerpt_share > own and not config.get_source(name).permission:
                raise ConfigError(
                    f"sources.{name}.excerpt_share = {rights.excerpt_share} is more than the {own:.0%} that the source "
                    f"allows: say in sources.{name}.permission whose permission that rests on."
                )

    def get(self, article: Article) -> Rights:
        """What the source allows today; for a source that is gone, no more than was known when it was read."""
        if article.source in self._rights:
            return self._add_site_rights(self._rights[article.source], article)
        share = (
            min(article.rights.excerpt_share, DEFAULT_RIGHTS.excerpt_share)
            if article.rights
            else DEFAULT_RIGHTS.excerpt_share
        )
        return replace(article.rights or DEFAULT_RIGHTS, excerpt_share=share)

    def _add_site_rights(self, rights: Rights, article: Article) -> Rights:
        """A source's rights; a text of it that stands on another source's site has that one's reference too."""
        owner = self._hosts.get(urlsplit(article.url).hostname or "", article.source)
        if owner == article.source or rights.reference:
            return rights
        theirs = self._rights[owner]
        return replace(
            rights, reference=theirs.reference, excerpt_share=min(rights.excerpt_share, theirs.excerpt_share)
        )


class Door:
    """What one output takes of articles. Made anew for each message, digest or file."""

    def __init__(self, shares: RightsRegistry) -> None:
        self._shares = shares
        self._taken: dict[str, dict[int, list[TextSpan]]] = {}

    def credit(self, article: Article) -> Credit:
        """What has to stand beside the article's text."""
        rights = self._shares.get(article)
        return Credit(
            share=rights.excerpt_share,
            link_required=rights.link_required,
            reference=rights.reference,
            attribution=article.attribution,
        )

    def headline(self, article: Article) -> tuple[str, bool]:
        """The title; or one made from the body's first line, as far as the share goes, and True."""
        if article.title:
            return article.title, False
        first = article.body.split("\n", 1)[0]
        most = min(MAX_HEADLINE_LENGTH, self._allowed(article) // 2, len(first))
        end = most if most == len(first) else find_word_end(first, 0, most)
        whole = end == len(first)
        if not self._take(article, (0, end)):
            return ELLIPSIS, True
        return first[:end] if whole else first[:end] + ELLIPSIS, True

    def lead(self, article: Article) -> str | None:
        """The lead. One that only repeats words of the body counts like any piece of it: None when it does not fit."""
        said = (article.lead or "").rstrip(f" .{ELLIPSIS}")  # a site's description may be cut off
        begin = article.body.replace("\n", " ").find(said) if said else -1
        whole = (begin, begin + len(said))
        return article.lead if begin < 0 or self._cost(article, whole) == 0 or self._take(article, whole) else None

    def excerpt(
        self, article: Article, matches: Sequence[Match] | None = None, *, most: int | None = None, opening: bool = True
    ) -> Excerpt:
        """The sentences of the matches (the article's own when None; the sure ones first), then, with `opening`, the
        beginning of the body: `most` characters at most, and never more than is left of the share."""
        body = article.body
        if self._shares.get(article).excerpt_share >= 1 and (most is None or len(body) <= most):
            self._take(article, (0, len(body)))
            return Excerpt(pieces=(self._piece(article, (0, len(body)), matches),), whole=True)
        spans: list[TextSpan] = []
        left = most if most is not None else len(body)
        for place in _list_match_spans(article.matches if matches is None else matches):
            if any(begin <= place[0] and place[1] <= end for begin, end in spans):
                continue
            got = self._sentence(article, place, left)
            if got:
                spans.append(got)
                left -= got[1] - got[0]
        self.named(article, article.matches if matches is None else matches)  # before the opening takes what is left
        if opening and (got := self._opening(article, spans, left)):
            spans.append(got)
        return Excerpt(pieces=tuple(self._piece(article, span, matches) for span in self._bridged(article, spans)))

    def named(self, article: Article, matches: Sequence[Match]) -> tuple[Match, ...]:
        """The matches whose words may be named beside the excerpt; those in the body count like any piece of it."""
        words: dict[str, bool] = {}
        in_body = [match for match in matches if match.field == "body"]
        for match in sorted(in_body, key=lambda match: self._cost(article, (match.start, match.end))):
            if match.surface not in words:
                words[match.surface] = self._take(article, (match.start, match.end))
        return tuple(match for match in matches if match.field != "body" or words[match.surface])

    def fragment(self, article: Article, text: str) -> str | None:
        """A sentence of the body as it is, if the share still has room for it; cut at a word, if for a part of it.

        For sentences that a revision touched. None when nothing of it may be shown, or it does not stand there.
        """
        begin = article.body.find(text.strip())
        if begin < 0 or not text.strip():
            return None
        got = self._fitted(article, (begin, begin + len(text.strip())), len(text))
        if got is None:
            return None
        cut = article.body[got[0] : got[1]]
        return cut if len(cut) == len(text.strip()) else cut + ELLIPSIS

    def _bridged(self, article: Article, spans: Iterable[TextSpan]) -> list[TextSpan]:
        """The stretches in their order; two with nothing but a space between them are one, if it still fits."""
        kept = list(spans)
        while pair := self._neighbours(article, kept):
            one, other = pair
            kept[one] = enclose_spans(kept[one], kept[other])
            del kept[other]
        return kept

    def _neighbours(self, article: Article, spans: Sequence[TextSpan]) -> TextSpan | None:
        """The places of two stretches that may be one, the space between them taken; None when no two are left."""
        for one, other in combinations(range(len(spans)), 2):
            first, last = sorted((spans[one], spans[other]))
            between = (first[1], last[0])
            if not article.body[slice(*between)].strip() and (
                measure_span(between) <= 0 or self._take(article, between)
            ):
                return one, other
        return None

    def _sentence(self, article: Article, place: TextSpan, left: int) -> TextSpan | None:
        """The sentence of a match, or as much of it around the match as fits."""
        span = locate_sentence(article.body, *place)
        room = min(left, self._room(article))
        if self._cost(article, span) <= room and span[1] - span[0] <= left:
            return self._took(article, span)
        begin = span[0]
        if place[1] - begin > room:  # the match stands too far back: begin at a word shortly before it
            begin = find_word_start(
                article.body, place[0], max(span[0], place[1] - room + (room - measure_span(place)) // 2)
            )
        end = min(span[1], begin + room)
        end = end if end == span[1] else find_word_end(article.body, begin, end)
        if end < place[1] or end - begin < min(MIN_PIECE_LENGTH, span[1] - span[0]):
            return None
        return self._took(article, (begin, end))

    def _opening(self, article: Article, spans: Sequence[TextSpan], left: int) -> TextSpan | None:
        """The beginning of the body up to where a piece begins that is taken already; where one stands at the very
        beginning, what follows it."""
        begin, end = min(spans, default=(len(article.body), 0))
        if begin > 0:
            return self._fitted(article, (0, begin), left)
        while end < len(article.body) and article.body[end].isspace():
            end += 1
        stop = min((first for first, _ in spans if first >= end), default=len(article.body))
        return self._fitted(article, (end, stop), left) if stop > end else None

    def _fitted(self, article: Article, span: TextSpan, left: int) -> TextSpan | None:
        """As much of a stretch as there is room for, from its beginning, ended at a word."""
        begin, end = span
        while end > begin and article.body[end - 1].isspace():
            end -= 1
        free = sum(e - b for b, e in intersect_spans((begin, end), self._own(article)))
        room = min(left, self._room(article) + free)
        if end - begin > room:
            end = find_word_end(article.body, begin, begin + room)
            if end - begin < MIN_PIECE_LENGTH:
                return None
        return self._took(article, (begin, end)) if end > begin else None

    def _piece(self, article: Article, span: TextSpan, matches: Sequence[Match] | None) -> Piece:
        begin, end = span
        found = article.matches if matches is None else matches
        marks = {
            (match.start - begin, match.end - begin)
            for match in found
            if match.field == "body" and begin <= match.start and match.end <= end
        }
        body = article.body
        return Piece(
            text=body[begin:end],
            marks=tuple(merge_spans(sorted(marks))),
            before=bool(body[:begin].strip()),
            after=bool(body[end:].strip()),
        )

    def _allowed(self, article: Article) -> int:
        return int(self._shares.get(article).excerpt_share * len(article.body))

    def _own(self, article: Article) -> list[TextSpan]:
        return self._taken.setdefault(article.id, {}).setdefault(article.version or 0, [])

    def _room(self, article: Article) -> int:
        """Characters still free, with all versions of the article that this output shows counted together."""
        taken = self._taken.get(article.id, {})
        return self._allowed(article) - sum(end - begin for spans in taken.values() for begin, end in spans)

    def _cost(self, article: Article, span: TextSpan) -> int:
        return measure_span(span) - sum(measure_span(part) for part in intersect_spans(span, self._own(article)))

    def _take(self, article: Article, span: TextSpan) -> bool:
        if self._cost(article, span) > self._room(article) or measure_span(span) <= 0:
            return False
        own = self._own(article)
        own[:] = merge_spans(sorted([*own, span]))
        return True

    def _took(self, article: Article, span: TextSpan) -> TextSpan | None:
        return span if self._take(article, span) else None


def _list_match_spans(matches: Iterable[Match]) -> list[TextSpan]:
    """Where matches stand in the body, the sure ones first."""
    in_body = [match for match in matches if match.field == "body"]
    in_body.sort(key=lambda match: (match.strength is not Strength.STRONG, match.start))
    return [(match.start, match.end) for match in in_body]


def _format_end(text: str) -> str:
    return f" {ELLIPSIS}" if text.endswith((".", "!", "?", "»", '"', "”", ELLIPSIS)) else ELLIPSIS
