"""What is known about each line of a page when it is decided whether the line is in the article.

Each extractor has an opinion about a line. The others are the lines around it, its place in the markup, its length,
and how much of it is links. `defaults/line_weights.toml` has a weight for each feature.
"""

from __future__ import annotations

import math
import operator
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import accumulate, combinations

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
AGREEMENT_POWER = 4
"""How much more an extractor counts on a page where it agrees with the others."""
MIN_UNANIMOUS_VOTE = 0.999
"""Share of trust from which all extractors agree, but for those that read quite another text."""
PLACES_OF_VOTES = "in_table tag_li tag_heading tag_figcaption tag_blockquote name_doubtful name_caption".split()
"""Places that are doubtful in themselves, where an extractor's opinion says more than elsewhere."""

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
    equal_votes = [sum(marks) / len(opinions) for marks in zip(*opinions.values(), strict=True)]
    sizes = [len(line.words) for line in lines]
    agreements = measure_agreements(opinions, sizes)
    most_agreed = max(agreements, key=lambda name: agreements[name])
    votes = weigh_votes(opinions, agreements) or equal_votes
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
        features |= {f"vote_{name}": vote * features[name] for name in PLACES_OF_VOTES}
        features |= {
            "equal_vote": equal_votes[number],
            "equal_vote_squared": equal_votes[number] ** 2,
            "by_most_agreed": opinions[most_agreed][number],
            "by_most_agreed_trusted": opinions[most_agreed][number] * agreements[most_agreed],
            "agreement": agreements[most_agreed],
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


def measure_agreements(opinions: Mapping[str, Sequence[float]], sizes: Sequence[int]) -> dict[str, float]:
    """Return for each extractor how much it agrees with the others on a page, by words; far less for less agreement."""
    words = {name: sum(map(operator.mul, marks, sizes)) for name, marks in opinions.items()}
    shared: defaultdict[str, float] = defaultdict(float)
    for one, other in combinations(opinions, 2):
        marks = zip(opinions[one], opinions[other], sizes, strict=True)
        both = sum(size for mark, also, size in marks if mark and also)
        similarity = 2 * both / (words[one] + words[other]) if both else 0.0
        shared[one] += similarity
        shared[other] += similarity
    others = max(len(opinions) - 1, 1)
    return {name: (shared[name] / others) ** AGREEMENT_POWER for name in opinions}


def weigh_votes(opinions: Mapping[str, Sequence[float]], agreements: Mapping[str, float]) -> list[float]:
    """Return the share of trust in the extractors that have each line, or nothing where no two agree.

    No extractor is trusted for its name: which of them fail differs from site to site.
    """
    total = sum(agreements.values())
    if not total:
        return []
    shares = [agreements[name] / total for name in opinions]
    return [sum(map(operator.mul, shares, marks)) for marks in zip(*opinions.values(), strict=True)]


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
    is_refused = float(vote <= 1 - MIN_UNANIMOUS_VOTE)
    features = {
        "constant": 1.0,
        "vote_squared": vote * vote,
        "is_unanimous": float(vote >= MIN_UNANIMOUS_VOTE),
        "is_refused": is_refused,
        "is_refused_inside": is_refused * inside,
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
