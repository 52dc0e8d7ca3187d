"""Decide which lines of a page are the text of its article."""

from __future__ import annotations

import math
import operator
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import dropwhile

from crawler.defaults import load_default_toml
from crawler.generic.byline import is_byline
from crawler.generic.date_texts import is_date_line
from crawler.generic.enclosed_lists import add_enclosed_lists
from crawler.generic.extractors import run_extractors
from crawler.generic.line_features import Features, add_score_features, make_features, mark_lines
from crawler.generic.page import GenericPage
from crawler.generic.page_lines import PageLine, list_words, make_shingles
from crawler.pages.blocks import parse_markup
from crawler.pages.boilerplate import is_boilerplate

MIN_STRUCTURED_LENGTH = 200
"""Characters of an `articleBody` that is more than a summary."""
MIN_AGREEMENT = 0.8
"""Similarity to the chosen text from which an extractor confirms it."""
MIN_VISIBLE_SHARE = 0.8
"""Share of a text that is in the page's lines, below which a reader does not see it there."""
MIN_LEAD_WORDS = 8
MIN_LEAD_SHARE = 0.9
MAX_LEAD_DISTANCE = 3
MAX_LEAD_LINES = 15
"""Lines below the title among which the lead may be: author, date and buttons are between them."""
MAX_BYLINE_DISTANCE = 5
"""Lines of a text among which the author may be named: the lead may be before."""
SUMMARY_FIELDS = ("description", "og:description", "twitter:description")
MISSING_PENALTY = 0.2
"""Log-odds that each line has in addition: a missing paragraph is worse than a line too many."""
MIN_PROBABILITY = 0.3
"""Probability below which no line is in a text, so that a page without an article has none."""


@dataclass(frozen=True, slots=True)
class LineOpinions:
    """What is thought about the lines of a page.

    `scores` are log-odds of being in the article, one for each line. `texts` are the extractors' texts by name,
    `structured` is the text of JSON-LD or "". `lead` is the number of the line with the page's own summary.
    """

    lines: Sequence[PageLine]
    scores: Sequence[float]
    texts: Mapping[str, str]
    structured: str = ""
    lead: int | None = None

    @property
    def text(self) -> str:
        """The lines that are in the article."""
        return join_chosen(self.lines, self.chosen)

    @property
    def chosen(self) -> list[bool]:
        """Whether each line is in the article."""
        chosen = choose_lines(self.scores, [len(line.words) for line in self.lines])
        if self.lead is not None and True not in chosen[: self.lead]:
            chosen[self.lead] = True
        return add_enclosed_lists(self.lines, chosen)


@dataclass(frozen=True, slots=True)
class ArticleBody:
    """The text of an article, a line for each paragraph, and how it was found. `confirmations` name extractors."""

    text: str
    origin: str
    confirmations: tuple[str, ...] = ()


def judge_lines(page: GenericPage, title: str = "") -> LineOpinions:
    """Return the opinions about the lines of a page, by the extractors and by the shape of the page.

    Lines are judged twice: the second time with the first judgement about the lines around them.
    """
    texts = run_extractors(page.html)
    opinions = {name: mark_lines(page.lines, text) for name, text in texts.items()}
    structured = read_structured_body(page)
    marks = mark_lines(page.lines, structured) if structured else None
    rows = make_features(page.lines, opinions, title, marks)
    first = [convert_to_probability(score) for score in score_lines(rows, "first")]
    scores = score_lines(add_score_features(rows, page.lines, first), "second")
    return LineOpinions(page.lines, scores, texts, structured, find_lead(page, title))


def choose_lines(scores: Sequence[float], sizes: Sequence[int]) -> list[bool]:
    """Return whether each line is in the text, so that the expected F1 of its words is highest.

    On a page where all lines are doubtful, less probable ones are chosen than on a clear page.
    """
    probabilities = [convert_to_probability(score + MISSING_PENALTY) for score in scores]
    expected = sum(map(operator.mul, probabilities, sizes))
    best, least, found, taken = 0.0, MIN_PROBABILITY, 0.0, 0
    for probability, size in sorted(zip(probabilities, sizes, strict=True), reverse=True):
        found, taken = found + probability * size, taken + size
        if found / (taken + expected) > best:
            best, least = found / (taken + expected), max(probability, MIN_PROBABILITY)
    return [probability >= least for probability in probabilities]


def find_lead(page: GenericPage, title: str) -> int | None:
    """Return the number of the line below the title that has the page's description, or None.

    Many sites show this lead apart from the text, where extractors do not look.
    """
    words = list_words(title)
    start = next((number for number, line in enumerate(page.lines) if line.words == words), None)
    if start is None:
        return None
    summaries = {list_words(page.metadata.get(name, "")) for name in SUMMARY_FIELDS}
    for number, line in enumerate(page.lines[start + 1 : start + 1 + MAX_LEAD_LINES], start=start + 1):
        if len(line.words) >= MIN_LEAD_WORDS and line.tag != "figcaption" and _is_summary(line, summaries):
            return number
    return None


def _is_summary(line: PageLine, summaries: Collection[tuple[str, ...]]) -> bool:
    return any(
        len(line.shingles & make_shingles(summary)) >= MIN_LEAD_SHARE * len(line.shingles) for summary in summaries
    )


def score_lines(rows: Sequence[Features], judgement: str) -> list[float]:
    """Return the log-odds of each line by the weights of the `first` or the `second` judgement."""
    weights = _load_weights(judgement)
    return [sum(weights.get(name, 0.0) * value for name, value in row.items() if value) for row in rows]


def read_structured_body(page: GenericPage) -> str:
    """Return the `articleBody` of JSON-LD as lines, or "" where there is none or only a summary."""
    bodies = [value for article in page.articles if isinstance(value := article.get("articleBody"), str)]
    longest = max(bodies, key=len, default="")
    if len(longest) < MIN_STRUCTURED_LENGTH:
        return ""
    return "\n".join(block.text for block in parse_markup(longest.replace("\n", "<br>")) if not block.is_image)


def join_chosen(lines: Sequence[PageLine], chosen: Sequence[bool]) -> str:
    """Return the text of the lines that are chosen."""
    return "\n".join(line.text for line, is_chosen in zip(lines, chosen, strict=True) if is_chosen)


def choose_body(opinions: LineOpinions, title: str = "") -> ArticleBody | None:
    """Return the article's text without its title and its line with the date, or None for a page without one.

    A text that is in the page but not in its visible lines is taken whole: from JSON-LD, or as the extractors that
    agree most read it.
    """
    chosen = [line for line, is_chosen in zip(opinions.lines, opinions.chosen, strict=True) if is_chosen]
    text = "\n".join(line.text for line in clean_article_lines(chosen, title))
    structured = opinions.structured
    if len(structured) > len(text) and _measure_visible_share(structured, opinions.lines) < MIN_VISIBLE_SHARE:
        return ArticleBody(structured, "JSON-LD articleBody")
    agreed = find_agreed_text(opinions.texts)
    if agreed and _measure_visible_share(opinions.texts[agreed], opinions.lines) < MIN_VISIBLE_SHARE:
        return ArticleBody(opinions.texts[agreed].strip(), f"whole text of {agreed}")
    if not text:
        return None
    names = tuple(name for name, found in opinions.texts.items() if compare_texts(found, text) >= MIN_AGREEMENT)
    origin = f"lines, confirmed by {', '.join(names)}" if names else "lines by the shape of the page"
    return ArticleBody(text, origin, names)


def clean_article_lines(lines: Sequence[PageLine], title: str) -> Sequence[PageLine]:
    """Return the lines without boilerplate, and without title, date, author and a repeated lead at their beginning."""
    words = list_words(title)
    kept = [line for line in lines if not is_boilerplate(line.text)]
    kept = [line for number, line in enumerate(kept) if number >= MAX_BYLINE_DISTANCE or not is_byline(line.text)]
    kept = list(dropwhile(lambda line: line.words == words or is_date_line(line.text), kept))
    while len(kept) > 1 and _is_repeated_lead(kept[0], kept[1 : 1 + MAX_LEAD_DISTANCE]):
        del kept[0]
    return kept or lines


def _is_repeated_lead(lead: PageLine, following: Sequence[PageLine]) -> bool:
    """Return whether one of the next lines has all of a line, as a text does that begins with its own summary."""
    if len(lead.words) < MIN_LEAD_WORDS:
        return False
    return any(len(lead.shingles & line.shingles) >= MIN_LEAD_SHARE * len(lead.shingles) for line in following)


def _measure_visible_share(text: str, lines: Sequence[PageLine]) -> float:
    """Return the share of a text that is in the lines of its page."""
    shingles = make_shingles(list_words(text))
    visible = make_shingles([word for line in lines for word in line.words])
    return len(shingles & visible) / len(shingles) if shingles else 1.0


def compare_texts(first: str, second: str) -> float:
    """Return how much two texts have the same words, from 0 to 1 (the harmonic mean of both shares)."""
    one, other = Counter(list_words(first)), Counter(list_words(second))
    total = one.total() + other.total()
    return 2 * (one & other).total() / total if total else 1.0


def convert_to_probability(score: float) -> float:
    """Return the probability of log-odds."""
    return 1 / (1 + math.exp(-max(min(score, 30.0), -30.0)))


def find_agreed_text(texts: Mapping[str, str]) -> str | None:
    """Return the extractor whose text is most like those of the others, or None where no text is."""
    if not any(text.strip() for text in texts.values()):
        return None
    return max(texts, key=lambda name: sum(compare_texts(texts[name], other) for other in texts.values()))


@cache
def _load_weights(judgement: str) -> Mapping[str, float]:
    weights: dict[str, float] = load_default_toml("line_weights.toml")[judgement]
    return weights
