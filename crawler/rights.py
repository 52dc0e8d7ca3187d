"""How much of an article's text may leave this machine: in alerts, digests, feeds and exports.

A source allows a share of the characters of an article's body (30 % unless it says otherwise). `allocate_excerpts`
divides this share among all places where one output shows the article: every piece and every version counts. Title and
lead are free, except where they repeat the body.

The owner's working copies (`articles`, `diff`, `extract`, `crawl -o`, evidence) contain whole texts: they stay here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, groupby
from urllib.parse import urlsplit

from crawler.items import Article, Match, Rights, Strength, shorten_headline
from crawler.text.sentences import find_last_sentence_end, locate_sentence
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
"""Rights of a source that is unknown, was removed, or states none."""
ELLIPSIS = "…"
MAX_DERIVED_HEADLINE_LENGTH = 120
"""Characters of a headline that is made from the body."""
MIN_PIECE_LENGTH = 20
"""Characters. A shorter part of a cut sentence says nothing and is not shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A passage of a body. `marks` are the spans of matched words in `text`.

    `before` and `after` are True where the article has more text on that side.
    """

    text: str
    marks: tuple[TextSpan, ...] = ()
    before: bool = False
    after: bool = False

    @property
    def ends(self) -> tuple[str, str]:
        """What to print before and after the text: an ellipsis where the article has more."""
        return f"{ELLIPSIS} " if self.before else "", f" {ELLIPSIS}" if self.after else ""

    @property
    def quoted(self) -> str:
        """The text with its ends."""
        return self.text.join(self.ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """The passages of a body that an output may show: those with matches, then the opening.

    `whole` is True when they are the whole body.
    """

    pieces: tuple[Piece, ...] = ()
    whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """What to print beside a text: `share` is the allowed share of it, `reference` the publisher to name."""

    share: float
    link_required: bool
    reference: str | None
    attribution: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """A passage of an article version that an output wants to quote, because a revision changed it.

    `core` is the span of the changed words in `text`. The fragments of one edit (before and after) have one `group`.
    `is_in_lead`: a sentence of the lead, which is shown where the lead of that version may be shown.
    """

    article: Article
    text: str
    core: TextSpan
    group: int = 0
    is_in_lead: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcerptDemand:
    """What one place of an output wants to show of an article version.

    The `fragments` come first, then the sentences of `matches`, the certain matches before the weak ones.
    `with_opening` adds the beginning of the body. `max_length` limits the excerpt, in characters. A link to the article
    shows its headline and no more (`headline_only`).
    """

    article: Article
    matches: tuple[Match, ...] = ()
    max_length: int | None = None
    with_opening: bool = True
    fragments: tuple[Fragment, ...] = ()
    headline_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedText:
    """What a place of an output may show.

    `fragments` correspond to those of the demand: None where nothing may be shown. `named_matches` are the matches
    whose words may be printed beside the excerpt.
    """

    headline: str
    is_headline_derived: bool
    lead: str | None = None
    excerpt: Excerpt = Excerpt()
    fragments: tuple[str | None, ...] = ()
    named_matches: tuple[Match, ...] = ()


class RightsRegistry:
    """The rights of every source under one configuration. `origins` are the addresses of each source's own site."""

    def __init__(self, rights: Mapping[str, Rights], origins: Mapping[str, Iterable[str]]) -> None:
        self._rights = dict(rights)
        self._source_by_host = {urlsplit(url).hostname or "": name for name, urls in origins.items() for url in urls}

    def get(self, article: Article) -> Rights:
        """Return what the source allows today.

        For a source that was removed: what was known at the time of the crawl, at most the default share.
        """
        if article.source in self._rights:
            return self._add_site_rights(self._rights[article.source], article)
        rights = article.rights or DEFAULT_RIGHTS
        return replace(rights, excerpt_share=min(rights.excerpt_share, DEFAULT_RIGHTS.excerpt_share))

    def get_credit(self, article: Article) -> Credit:
        """Return what to print beside the article's text."""
        rights = self.get(article)
        return Credit(
            share=rights.excerpt_share,
            link_required=rights.link_required,
            reference=rights.reference,
            attribution=article.attribution,
        )

    def _add_site_rights(self, rights: Rights, article: Article) -> Rights:
        """Return the rights, with the reference and share of the site if that belongs to another source."""
        owner = self._source_by_host.get(urlsplit(article.url).hostname or "", article.source)
        if owner == article.source or rights.reference:
            return rights
        theirs = self._rights[owner]
        share = min(rights.excerpt_share, theirs.excerpt_share)
        return replace(rights, reference=theirs.reference, excerpt_share=share)


def allocate_excerpts(demands: Sequence[ExcerptDemand], registry: RightsRegistry) -> list[AllowedText]:
    """Return what an output may show for each of its demands, so that no article's share is exceeded.

    Pass all demands of one output, of all articles and versions: everything shown of an article counts together, and a
    passage that is shown twice counts once. Links come first, because they are short, then newer versions before older
    ones. The order of the demands matters only between two excerpts of the same version.
    """
    by_article: dict[str, list[int]] = {}
    for index, demand in enumerate(demands):
        by_article.setdefault(demand.article.id, []).append(index)
    allowed: dict[int, AllowedText] = {}
    for indexes in by_article.values():
        budget = _ExcerptBudget(registry)
        for index in sorted(indexes, key=lambda index: _rank_demand(demands[index])):
            allowed[index] = _fill_demand(demands[index], budget)
    return [allowed[index] for index in range(len(demands))]


def _rank_demand(demand: ExcerptDemand) -> tuple[bool, int]:
    return not demand.headline_only, -(demand.article.version or 0)


def _fill_demand(demand: ExcerptDemand, budget: _ExcerptBudget) -> AllowedText:
    """Return what fits of one demand. The order of these steps decides what is shown of a small share."""
    article = demand.article
    headline, is_derived = _take_headline(article, budget)
    if demand.headline_only:
        return AllowedText(headline=headline, is_headline_derived=is_derived)
    fragments = _take_fragments(demand.fragments, budget)
    excerpt = _take_excerpt(demand, budget)
    lead = _take_lead(article, budget)
    return AllowedText(
        headline=headline,
        is_headline_derived=is_derived,
        excerpt=excerpt,
        fragments=tuple(
            (_take_lead(fragment.article, budget) and fragment.text) if fragment.is_in_lead else shown
            for fragment, shown in zip(demand.fragments, fragments, strict=True)
        ),
        lead=lead,
        named_matches=_list_named_matches(demand, budget),
    )


class _ExcerptBudget:
    """What is left of an article's share, and for each version its share and the spans that are taken."""

    def __init__(self, registry: RightsRegistry) -> None:
        self._registry = registry
        self._taken: dict[int, list[TextSpan]] = {}
        self._shares: dict[int, float] = {}

    def get_share(self, article: Article) -> float:
        """Return the share of the body that the source allows."""
        version = article.version or 0
        if version not in self._shares:
            self._shares[version] = self._registry.get(article).excerpt_share
        return self._shares[version]

    def get_limit(self, article: Article) -> int:
        """Return the characters that the source allows to show of this version."""
        return int(self.get_share(article) * len(article.body))

    def get_taken(self, article: Article) -> list[TextSpan]:
        """Return the spans of this version that are shown already."""
        return self._taken.get(article.version or 0, [])

    def get_share_left(self, article: Article) -> int:
        """Return how many characters of the share are left. What is taken of other versions counts too."""
        taken = sum(measure_span(span) for spans in self._taken.values() for span in spans)
        return self.get_limit(article) - taken

    def compute_cost(self, article: Article, span: TextSpan) -> int:
        """Return the characters of a span that are not taken yet."""
        return measure_span(span) - sum(measure_span(part) for part in intersect_spans(span, self.get_taken(article)))

    def take_span(self, article: Article, span: TextSpan) -> bool:
        """Take a span if it is not empty and the characters left cover it. Return whether it was taken."""
        if measure_span(span) <= 0 or self.compute_cost(article, span) > self.get_share_left(article):
            return False
        self._taken[article.version or 0] = merge_spans(sorted([*self.get_taken(article), span]))
        return True


def _take_headline(article: Article, budget: _ExcerptBudget) -> tuple[str, bool]:
    """Return the title and False, or a headline from the body's first line and True."""
    if article.title:
        return shorten_headline(article.title), False
    line = article.body.split("\n", 1)[0]
    # The headline is taken first: with half of the share at most it leaves some for the excerpt.
    end = min(MAX_DERIVED_HEADLINE_LENGTH, budget.get_limit(article) // 2, len(line))
    end = end if end == len(line) else find_word_end(line, 0, end)
    if not budget.take_span(article, (0, end)):
        return ELLIPSIS, True
    return line if end == len(line) else line[:end] + ELLIPSIS, True


def _take_lead(article: Article, budget: _ExcerptBudget) -> str | None:
    """Return the lead, or None if it repeats words of the body and does not fit."""
    words = (article.lead or "").rstrip(f" .{ELLIPSIS}")  # A site may cut its description off.
    start = article.body.replace("\n", " ").find(words) if words else -1
    span = (start, start + len(words))
    return (
        article.lead
        if start < 0 or budget.compute_cost(article, span) == 0 or budget.take_span(article, span)
        else None
    )


def _take_excerpt(demand: ExcerptDemand, budget: _ExcerptBudget) -> Excerpt:
    article = demand.article
    length = len(article.body)
    length_left = length if demand.max_length is None else demand.max_length
    if budget.get_share(article) >= 1 and length <= length_left:
        budget.take_span(article, (0, length))
        return Excerpt(pieces=(_make_piece(demand, (0, length)),), whole=True)
    spans: list[TextSpan] = []
    for match in _list_match_spans(demand.matches):
        if any(start <= match[0] and match[1] <= end for start, end in spans):
            continue
        if span := _take_sentence(article, match, length_left, budget):
            spans.append(span)
            length_left -= measure_span(span)
    # The matched words come before the opening, which takes all that is left.
    _reserve_words(demand, budget)
    if demand.with_opening and (span := _take_opening(article, spans, length_left, budget)):
        spans.append(span)
    spans = _join_neighbours(article, spans, budget)
    return Excerpt(pieces=tuple(_make_piece(demand, span) for span in spans))


def _take_sentence(article: Article, match: TextSpan, length_left: int, budget: _ExcerptBudget) -> TextSpan | None:
    """Take the sentence of a match, or the part around the match that fits."""
    sentence = locate_sentence(article.body, *match)
    room = min(length_left, budget.get_share_left(article))
    if budget.compute_cost(article, sentence) <= room and measure_span(sentence) <= length_left:
        return sentence if budget.take_span(article, sentence) else None
    start = sentence[0]
    if match[1] - start > room:
        # The match is too far back: begin at a word shortly before it.
        earliest = max(sentence[0], match[1] - room + (room - measure_span(match)) // 2)
        start = find_word_start(article.body, match[0], earliest)
    end = min(sentence[1], start + room)
    end = end if end == sentence[1] else find_word_end(article.body, start, end)
    if end < match[1] or end - start < min(MIN_PIECE_LENGTH, measure_span(sentence)):
        return None
    return (start, end) if budget.take_span(article, (start, end)) else None


def _reserve_words(demand: ExcerptDemand, budget: _ExcerptBudget) -> set[str]:
    """Take the words of the matches in the body, those that cost least first. Return the words that were taken."""
    article = demand.article
    in_body = [match for match in demand.matches if match.field == "body"]
    is_taken: dict[str, bool] = {}
    for match in sorted(in_body, key=lambda match: budget.compute_cost(article, (match.start, match.end))):
        if match.surface not in is_taken:
            is_taken[match.surface] = budget.take_span(article, (match.start, match.end))
    return {word for word, taken in is_taken.items() if taken}


def _list_named_matches(demand: ExcerptDemand, budget: _ExcerptBudget) -> tuple[Match, ...]:
    """Return the matches whose words may be named: those outside the body, and those whose words are taken."""
    # Once more, because the opening or a fragment may now have words that did not fit before.
    words = _reserve_words(demand, budget)
    return tuple(match for match in demand.matches if match.field != "body" or match.surface in words)


def _take_opening(
    article: Article, spans: Sequence[TextSpan], length_left: int, budget: _ExcerptBudget
) -> TextSpan | None:
    """Take the beginning of the body, up to the first span. If a span begins the body, take the text after it."""
    body = article.body
    start, end = min(spans, default=(len(body), 0))
    if start > 0:
        return _take_beginning(article, (0, start), length_left, budget)
    while end < len(body) and body[end].isspace():
        end += 1
    stop = min((start for start, _ in spans if start >= end), default=len(body))
    return _take_beginning(article, (end, stop), length_left, budget) if stop > end else None


def _take_fragments(fragments: Sequence[Fragment], budget: _ExcerptBudget) -> tuple[str | None, ...]:
    """Return what may be shown of changed passages, edit by edit. Both sides of an edit get an equal part of the share.

    What the shorter side leaves, the longer one gets. A passage of the lead takes nothing here.
    """
    shown: dict[int, str | None] = {}
    for _, group in groupby(enumerate(fragments), key=lambda each: each[1].group):
        sides = sorted(group, key=lambda each: len(each[1].text))
        for count, (index, fragment) in enumerate(sides):
            room = budget.get_share_left(fragment.article) // (len(sides) - count)
            shown[index] = _take_fragment(fragment, room, budget)
    return tuple(shown[index] for index in range(len(fragments)))


def _take_fragment(fragment: Fragment, room: int, budget: _ExcerptBudget) -> str | None:
    """Return a passage of the body, or the changed words and as much around them as fits, cut at words.

    None if nothing fits or the body does not have it.
    """
    article, body = fragment.article, fragment.article.body
    start = body.find(fragment.text) if fragment.text.strip() and not fragment.is_in_lead else -1
    if start < 0:
        return None
    whole = (start, start + len(fragment.text))
    span = whole
    if budget.compute_cost(article, whole) > room:
        core = (start + fragment.core[0], start + fragment.core[1])
        around = max(room - measure_span(core), 0) // 2
        first = find_word_start(body, core[0], max(core[0] - around, start))
        last = find_word_end(body, first, min(max(first + room, core[0]), whole[1]))
        span = (first, last)
        if last < core[1] and measure_span(span) < MIN_PIECE_LENGTH:
            return None
    if not budget.take_span(article, span):
        return None
    before = f"{ELLIPSIS} " if span[0] > whole[0] else ""
    return before + body[slice(*span)].rstrip() + (ELLIPSIS if span[1] < whole[1] else "")


def _take_beginning(article: Article, span: TextSpan, length_left: int, budget: _ExcerptBudget) -> TextSpan | None:
    """Take what fits of a span, from its beginning: whole sentences if they fill half of that, else whole words."""
    body = article.body
    start, end = span
    while end > start and body[end - 1].isspace():
        end -= 1
    free = sum(measure_span(part) for part in intersect_spans((start, end), budget.get_taken(article)))
    room = min(length_left, budget.get_share_left(article) + free)
    if end - start > room:
        end = find_word_end(body, start, start + room)
        if end - start < MIN_PIECE_LENGTH:
            return None
        end = find_last_sentence_end(body, (start + end) // 2, end) or end
    return (start, end) if end > start and budget.take_span(article, (start, end)) else None


def _join_neighbours(article: Article, spans: Sequence[TextSpan], budget: _ExcerptBudget) -> list[TextSpan]:
    """Return the spans in their order. Spans with only white space between them become one, if that still fits."""
    joined = list(spans)
    while pair := _take_gap_between_neighbours(article, joined, budget):
        one, other = pair
        joined[one] = enclose_spans(joined[one], joined[other])
        del joined[other]
    return joined


def _take_gap_between_neighbours(
    article: Article, spans: Sequence[TextSpan], budget: _ExcerptBudget
) -> tuple[int, int] | None:
    """Take the white space between two neighbours. Return their indexes, or None when there are no more."""
    for one, other in combinations(range(len(spans)), 2):
        first, last = sorted((spans[one], spans[other]))
        gap = (first[1], last[0])
        if not article.body[slice(*gap)].strip() and (measure_span(gap) <= 0 or budget.take_span(article, gap)):
            return one, other
    return None


def _make_piece(demand: ExcerptDemand, span: TextSpan) -> Piece:
    start, end = span
    body = demand.article.body
    marks = {
        (match.start - start, match.end - start)
        for match in demand.matches
        if match.field == "body" and start <= match.start and match.end <= end
    }
    return Piece(
        text=body[start:end],
        marks=tuple(merge_spans(sorted(marks))),
        before=bool(body[:start].strip()),
        after=bool(body[end:].strip()),
    )


def _list_match_spans(matches: Iterable[Match]) -> list[TextSpan]:
    """Return the spans of the matches in the body, the certain ones first."""
    in_body = [match for match in matches if match.field == "body"]
    in_body.sort(key=lambda match: (match.strength is not Strength.STRONG, match.start))
    return [(match.start, match.end) for match in in_body]
