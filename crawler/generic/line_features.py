"""What is known about each line of a page when it is decided whether the line is in the article.

Each extractor has an opinion about a line. The others are the lines around it, its place in the markup, its length,
and how much of it is links. `defaults/line_weights.toml` has a weight for each feature.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import accumulate

from crawler.generic.page_lines import SHINGLE_LENGTH, PageLine, Shingles, list_words, make_shingles

MIN_SHARED_SHINGLES = 0.6
"""Share of a line's shingles that a text must have to contain the line."""
PROMISING_NAME = re.compile(r"article|body|content|entry|post|story|text|main")
DOUBTFUL_NAME = re.compile(
    r"comment|related|share|social|promo|recommend|sidebar|widget|newsletter|subscri|footer|header|breadcrumb|menu|nav"
    r"|tags?\b|author|byline|meta|date|time|caption|credit|copyright|banner|advert|\bads?\b|popular|most-|teaser|login"
    r"|cookie|modal|popup|signup"
)
NAME_PATTERNS = {
    "name_promising": PROMISING_NAME,
    "name_doubtful": DOUBTFUL_NAME,
    "name_caption": re.compile(r"caption|credit|figure|photo|image|gallery|media"),
    "name_meta": re.compile(r"author|byline|meta|date|time|tags?\b|categor|breadcrumb"),
    "name_comment": re.compile(r"comment|discus|reply|respond"),
}
TAGS = ("p", "li", "blockquote", "figcaption", "h1")
HEADING_TAGS = frozenset(("h2", "h3", "h4", "h5", "h6"))
SECTIONS = ("article", "main", "header", "footer", "aside", "nav", "form", "table", "figure")
END_MARKS = tuple(".!?…。”\"»:;'’)")
SHORT_LENGTH, LONG_LENGTH = 4, 20
"""Words of a short line are fewer, of a long line more."""
NEAR, WIDE = 3, 10
"""Lines before and after whose opinions count."""
FIRST_DISTANCES = (1, 3, 8, 20)
OUTER_LEVELS = 3
MAX_LINK_SHARE = 0.8
MIN_TITLE_SHARE = 0.8

Features = dict[str, float]


def mark_lines(lines: Sequence[PageLine], text: str) -> list[float]:
    """Return 1 for each line that a text contains, else 0."""
    paragraphs = [list_words(paragraph) for paragraph in text.splitlines()]
    shingles = make_shingles([word for paragraph in paragraphs for word in paragraph])
    whole = set(paragraphs)
    return [float(_is_contained(line, shingles, whole)) for line in lines]


def _is_contained(line: PageLine, shingles: Shingles, paragraphs: set[tuple[str, ...]]) -> bool:
    if line.words in paragraphs:
        return True
    if len(line.words) < SHINGLE_LENGTH:
        return False
    return len(line.shingles & shingles) >= MIN_SHARED_SHINGLES * len(line.shingles)


def make_features(
    lines: Sequence[PageLine],
    opinions: Mapping[str, Sequence[float]],
    title: str = "",
    structured: Sequence[float] | None = None,
) -> list[Features]:
    """Return the features of each line by name.

    `opinions` has what each extractor's text contains (see `mark_lines`), `structured` what JSON-LD's text contains.
    """
    votes = [sum(marks) / len(opinions) for marks in zip(*opinions.values(), strict=True)]
    sizes = [len(line.words) for line in lines]
    paths = _average_by([line.path for line in lines], votes, sizes)
    containers = _average_by([line.container for line in lines], votes, sizes)
    near, wide = (_average_around(votes, sizes, distance) for distance in (NEAR, WIDE))
    chosen = [number for number, vote in enumerate(votes) if vote >= 0.5]
    first, last = (chosen[0], chosen[-1]) if chosen else (0, len(lines) - 1)
    title_words = frozenset(list_words(title))
    seen: Counter[tuple[str, ...]] = Counter()
    rows = []
    for number, (line, vote) in enumerate(zip(lines, votes, strict=True)):
        features = _describe_line(line, vote, is_inside=first <= number <= last)
        features |= {f"by_{name}": marks[number] for name, marks in opinions.items()}
        features |= {
            "vote_before": votes[number - 1] if number else 0.0,
            "vote_after": votes[number + 1] if number + 1 < len(votes) else 0.0,
            "votes_near": near[number],
            "votes_wide": wide[number],
            "votes_path": paths[line.path],
            "votes_container": containers[line.container],
            "votes_path_own": paths[line.path] * vote,
            "is_before": float(number < first),
            "is_after": float(number > last),
            "is_repeated": float(line.words in seen),
            "is_title": float(_is_title(line, title_words)),
            "structured": structured[number] if structured else 0.0,
            "not_structured": 1 - structured[number] if structured else 0.0,
        }
        seen[line.words] += 1
        rows.append(features)
    return rows


def add_score_features(
    rows: Sequence[Features], lines: Sequence[PageLine], probabilities: Sequence[float]
) -> list[Features]:
    """Return the features with what the first judgement says about each line and those around it.

    `probabilities` are the first judgement's. So a line is judged again in the company of lines that are judged.
    """
    sizes = [len(line.words) for line in lines]
    content = [probability * size for probability, size in zip(probabilities, sizes, strict=True)]
    total = sum(content) or 1.0
    around = {f"first_within_{each}": _average_around(probabilities, sizes, each) for each in FIRST_DISTANCES}
    places = [_list_outer_paths(line.path) for line in lines]
    averages = [_average_by([outer[level] for outer in places], probabilities, sizes) for level in range(OUTER_LEVELS)]
    shares: defaultdict[str, float] = defaultdict(float)
    for line, share in zip(lines, content, strict=True):
        shares[line.container] += share / total
    progress = [0.0, *accumulate(share / total for share in content)]
    added = []
    for number, features in enumerate(rows):
        probability = probabilities[number]
        second = {"first": probability, "content_share": shares[lines[number].container]}
        second |= {name: values[number] for name, values in around.items()}
        for level in range(OUTER_LEVELS):
            average = averages[level][places[number][level]]
            second |= {f"first_level_{level}": average, f"first_own_level_{level}": average * probability}
        second |= {"progress": progress[number], "progress_squared": progress[number] ** 2}
        added.append({**features, **second})
    return added


def _list_outer_paths(path: str) -> list[str]:
    """Return a path and those of the elements around it."""
    steps = path.split("/")
    return ["/".join(steps[: max(len(steps) - level, 1)]) for level in range(OUTER_LEVELS)]


def _describe_line(line: PageLine, vote: float, *, is_inside: bool) -> Features:
    """Return the features that need no other line."""
    size = len(line.words)
    is_short, is_long = float(size < SHORT_LENGTH), float(size > LONG_LENGTH)
    has_end, inside = float(line.text.endswith(END_MARKS)), float(is_inside)
    features = {
        "constant": 1.0,
        "vote_squared": vote * vote,
        "is_unanimous": float(vote == 1),
        "is_refused": float(vote == 0),
        "is_refused_inside": float(vote == 0) * inside,
        "length": math.log1p(size),
        "is_short": is_short,
        "is_long": is_long,
        "link_share": line.link_share,
        "is_link": float(line.link_share > MAX_LINK_SHARE),
        "has_end": has_end,
        "is_inside": inside,
        "vote_short": vote * is_short,
        "vote_long": vote * is_long,
        "vote_link": vote * line.link_share,
        "vote_end": vote * has_end,
        "inside_short": inside * is_short,
        "inside_long": inside * is_long,
        "inside_end": inside * has_end,
        "inside_link": inside * line.link_share,
        "tag_heading": float(line.tag in HEADING_TAGS),
        "tag_div": float(line.path.rpartition("/")[2].partition(".")[0] == "div"),
    }
    features |= {f"tag_{tag}": float(line.tag == tag) for tag in TAGS}
    features |= {f"in_{section}": float(section in line.sections) for section in SECTIONS}
    return features | {name: float(pattern.search(line.names) is not None) for name, pattern in NAME_PATTERNS.items()}


def _is_title(line: PageLine, title_words: frozenset[str]) -> bool:
    shared = len(title_words.intersection(line.words))
    return shared > MIN_TITLE_SHARE * len(title_words) and len(line.words) < 2 * len(title_words)


def _average_by(keys: Sequence[str], votes: Sequence[float], sizes: Sequence[int]) -> dict[str, float]:
    """Return the share of votes at each place, by words."""
    given: defaultdict[str, float] = defaultdict(float)
    total: defaultdict[str, int] = defaultdict(int)
    for key, vote, size in zip(keys, votes, sizes, strict=True):
        given[key] += vote * size
        total[key] += size
    return {key: given[key] / total[key] for key in total}


def _average_around(votes: Sequence[float], sizes: Sequence[int], distance: int) -> list[float]:
    """Return for each line the share of votes of the lines around it, by words, without the line itself."""
    given = [0.0, *accumulate(vote * size for vote, size in zip(votes, sizes, strict=True))]
    total = [0, *accumulate(sizes)]
    averages = []
    for number, (vote, size) in enumerate(zip(votes, sizes, strict=True)):
        start, end = max(number - distance, 0), min(number + distance + 1, len(votes))
        words = total[end] - total[start] - size
        averages.append((given[end] - given[start] - vote * size) / words if words else 0.0)
    return averages
