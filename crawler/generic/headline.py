"""The title of an article: a heading of the page, if the head of the page confirms it."""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from urllib.parse import unquote, urlsplit

from crawler.generic.page import GenericPage
from crawler.generic.page_lines import list_words
from crawler.pages.blocks import join_lines, parse_html, read_line

SEPARATOR = re.compile(r"\s+[|\-–—·•»«/]+\s+|\s*[|»]+\s*|\s+::?\s+|\s*::\s*")
PIPE = " | "
TITLE_PART_MARK = re.compile(r"\s*[|–—:]\s+|\s+[-/·•]\s+")
TITLE_PART_MARKS = " |–—:-/·•"
"""What is between a kicker and a title."""
QUOTED = re.compile(r"«[^«»]*»|»[^«»]*«")
"""Words in quotation marks that separate titles elsewhere: "«Valley Herald»", but "Valley Herald » Storm ends"."""
HEAD_FIELDS = ("og:title", "twitter:title", "dc.title", "title", "headline")
SITE_NAME_FIELDS = ("og:site_name", "application-name", "apple-mobile-web-app-title")
MIN_SIMILARITY = 0.55
MIN_SUBHEADING_SIMILARITY = 0.85
"""Similarity to a stated title that an `h2` or `h3` needs: most of these are headings of a part of the text."""
MIN_PART_WORDS = 2
MIN_TITLE_WORDS = 4
MIN_LONG_TITLE_WORDS = 5
"""Words of the only long `h1` among several."""
MAX_NAME_RATIO = 2.5
"""Length of a text around the site's name, in lengths of the name, up to which it is a longer form of the name."""
MIN_KICKER_LENGTH = 5
"""Characters in front of a title: more than "The "."""
PART_WEIGHT = 0.25
FIRST_PART_WEIGHT = 0.25
"""What a heading has in addition that is the first part of a title: the others may be the site's motto."""
HEADING_WEIGHTS = {"h1": 0.15, "h2": 0.05, "h3": 0.0}
ONLY_HEADING = "only h1"
"""The origin of a heading that the head of the page does not confirm."""
ADDRESS_HEADING = "heading in the address"
"""The origin of a heading that the address alone confirms."""
DATA_HEADLINE = "JSON-LD headline"
ADDRESS_WEIGHT = 0.4
"""Score added to a heading whose words are in the address."""
MIN_ADDRESS_LETTERS = 5
FILE_ENDING = re.compile(r"\.(?:html?|php|aspx?|jsp)$")
GERMAN_SPELLING = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
MAX_TITLE_LENGTH = 400
MAX_HEADING_TEXTS, MAX_HEADING_LENGTH = 40, 4_000
"""Pieces of text in a heading, and their characters. A larger heading is not searched for a kicker."""
MIN_LINE_WORDS, MAX_LINE_WORDS = 3, 25
"""Words of a text's first line that may be its title."""


@dataclass(frozen=True, slots=True)
class Headline:
    """A title and where it came from, such as `h1` or `og:title`."""

    text: str
    origin: str


def find_headline(page: GenericPage, site_parts: Sequence[str] = ()) -> Headline | None:
    """Return the title of a page's article, or None. `site_parts` are texts that the site's titles share."""
    headline = _find_whole_headline(page, site_parts)
    if headline is None:
        return None
    beginning, _, rest = headline.text.partition(PIPE)
    is_title = len(list_words(beginning)) >= MIN_TITLE_WORDS > len(list_words(rest))
    return replace(headline, text=beginning.strip()) if is_title else headline


def _find_whole_headline(page: GenericPage, site_parts: Sequence[str]) -> Headline | None:
    """Return the title with the few words after a pipe, which name a section, a series or the site."""
    stated = list_stated_titles(page, site_parts)
    names = list_site_names(page, site_parts)
    headings = [
        Headline(remove_site_name(text, names), tag) for tag in HEADING_WEIGHTS for text in list_headings(page, tag)
    ]
    address = spell_plainly(find_last_segment(page.url))
    if heading := _find_confirmed_heading(headings, stated, address):
        return _find_in_elements(page, heading, stated) or _find_without_kicker(heading, stated) or heading
    main_headings = [heading for heading in headings if heading.origin == "h1"]
    candidates = main_headings
    if len(main_headings) > 1:  # such as "Related content"
        candidates = [each for each in main_headings if len(list_words(each.text)) >= MIN_LONG_TITLE_WORDS]
    if stated and len(candidates) == 1 and _is_headline(candidates[0], names):
        return Headline(candidates[0].text, ONLY_HEADING)  # a title for sharing may have other words
    if named := next((each for each in headings if is_in_address(each.text, address)), None):
        return Headline(named.text, ADDRESS_HEADING)
    if stated:
        return _find_in_lines(page, stated) or stated[0]
    return next(iter(main_headings), None)


def _find_confirmed_heading(headings: Sequence[Headline], stated: Sequence[Headline], address: str) -> Headline | None:
    """Return the heading that the head of the page confirms best, or None.

    One that the address names counts more, unless the page's data states another title.
    """
    in_data = {list_words(each.text) for each in stated if each.origin == DATA_HEADLINE}
    best, best_score = None, 0.0
    for heading in headings:
        score = _score_heading(heading, stated)
        if score and (not in_data or list_words(heading.text) in in_data) and is_in_address(heading.text, address):
            score += ADDRESS_WEIGHT
        if score > best_score:
            best, best_score = heading, score
    return best


def is_in_address(text: str, address: str) -> bool:
    """Return whether the last part of an address, spelled plainly, has a text of several words in it.

    The text has to be half of it or more. A shorter text may name a section, as in `/press-center/?ELEMENT_ID=4711`.
    """
    if len(list_words(text)) < MIN_LINE_WORDS:
        return False
    for spelling in (spell_plainly(text), spell_plainly(text.casefold().translate(GERMAN_SPELLING))):
        letters = sum(map(str.isalpha, spelling))
        is_number = 2 * letters <= len(spelling)
        is_long_enough = 2 * len(spelling) >= len(address)
        if letters >= MIN_ADDRESS_LETTERS and not is_number and is_long_enough and spelling in address:
            return True
    return False


def find_last_segment(url: str) -> str:
    """Return the last part of a URL's path without the ending of a file's name, or ""."""
    try:
        path = unquote(urlsplit(url).path)
    except ValueError:
        return ""
    return FILE_ENDING.sub("", path.rstrip("/").rpartition("/")[2])


def spell_plainly(text: str) -> str:
    """Return the letters and digits of a text in ASCII, as addresses have them; "" for a text in another script."""
    words = "".join(list_words(unicodedata.normalize("NFKD", text)))
    plain = "".join(letter for letter in words if not unicodedata.combining(letter))
    return plain if plain.isascii() else ""


def _is_headline(heading: Headline, names: Sequence[str]) -> bool:
    """Return whether a heading has enough words for a title and does not name the site."""
    return len(list_words(heading.text)) >= MIN_LINE_WORDS and not _names_site(heading.text, names)


def _score_heading(heading: Headline, stated: Sequence[Headline]) -> float:
    """Return how well the head of the page confirms a heading; 0 where it does not."""
    words = list_words(heading.text)
    if len(words) < MIN_PART_WORDS and any(len(list_words(each.text)) >= MIN_TITLE_WORDS for each in stated):
        return 0.0  # "News" is the section's
    best = 0.0
    for each in stated:
        other = list_words(each.text)
        similarity = SequenceMatcher(None, words, other, autojunk=False).ratio()
        least = MIN_PART_WORDS if heading.origin == "h1" else MIN_TITLE_WORDS
        is_part = len(words) >= least and words in (other[: len(words)], other[-len(words) :])
        parts = split_title(each.text)
        is_first = is_part and len(parts) > 1 and words == list_words(parts[0])
        if is_part or similarity >= (MIN_SIMILARITY if heading.origin == "h1" else MIN_SUBHEADING_SIMILARITY):
            weight = PART_WEIGHT * is_part + FIRST_PART_WEIGHT * is_first + HEADING_WEIGHTS[heading.origin]
            best = max(best, similarity + weight)
    return best


def _find_in_elements(page: GenericPage, heading: Headline, stated: Sequence[Headline]) -> Headline | None:
    """Return the last elements of a heading if they are a part of a stated title, or the first if they are all of it.

    The other elements are a kicker or a subtitle. A heading whose words are a stated title stays whole. It keeps its
    first elements if a stated title begins with the same words.
    """
    titles = {list_words(each.text) for each in stated}
    words = list_words(heading.text)
    if words in titles:
        return None
    is_begun = any(title[:MIN_PART_WORDS] == words[:MIN_PART_WORDS] for title in titles)
    parts = titles | {list_words(part) for each in stated for part in TITLE_PART_MARK.split(each.text)}
    for node in page.root.iter(heading.origin):
        if list_words(join_lines(parse_html(node))) != words:
            continue
        texts = list(node.itertext())
        if len(texts) > MAX_HEADING_TEXTS or sum(map(len, texts)) > MAX_HEADING_LENGTH:
            continue
        cuts = [("".join(texts[:place]), "".join(texts[place:])) for place in range(1, len(texts))]
        ends = [] if is_begun else [(end, parts) for _, end in cuts]
        ends += [(beginning, titles) for beginning, _ in reversed(cuts)]
        for text, known in ends:
            if len(found := list_words(text)) >= MIN_LINE_WORDS and found in known:
                return Headline(read_line(text).strip(TITLE_PART_MARKS), heading.origin)
        return None
    return None


def _find_without_kicker(heading: Headline, stated: Sequence[Headline]) -> Headline | None:
    """Return the stated title with which a heading ends or begins: its other words name a section or tags.

    Words in front are a kicker. Those behind are tags where a new word begins without a space, or a section or a
    date where a separator is before them and the whole head states the same title: else it is a short form.
    """
    words = list_words(heading.text)
    shared = [list_words(each.text) for each in stated if each.origin != "title"]
    if shared and all(each == words for each in shared):
        return None  # the other words are missing in the `title` alone
    beginnings: set[tuple[str, ...]] = set()
    if len({list_words(each.text) for each in stated}) == 1:
        beginnings = {list_words(heading.text[: each.start()]) for each in find_separators(heading.text)}
    for each in stated:
        other = list_words(each.text)
        is_shorter = len(other) >= MIN_TITLE_WORDS and len(each.text) < len(heading.text)
        rest = heading.text.removeprefix(each.text)
        has_tags = rest != heading.text and (rest[:1].isupper() or rest[:1].isdigit())
        ends_with_title = words[-len(other) :] == other or heading.text.endswith(each.text)
        has_kicker = ends_with_title and len(heading.text) - len(each.text) >= MIN_KICKER_LENGTH
        if is_shorter and (has_kicker or has_tags or other in beginnings):
            return each
    return None


def _find_in_lines(page: GenericPage, stated: Sequence[Headline]) -> Headline | None:
    """Return the longest line that is the beginning, the end or a part of a stated title."""
    best: Headline | None = None
    for each in stated:
        other = list_words(each.text)
        parts = {list_words(part) for part in split_title(each.text)}
        for line in page.lines:
            size = len(line.words)
            is_part = line.words in parts or line.words in (other[:size], other[-size:])
            is_part = is_part and MIN_TITLE_WORDS <= size < len(other)
            if is_part and (best is None or size > len(list_words(best.text))):
                best = Headline(line.text, "line")
    return best


def list_stated_titles(page: GenericPage, site_parts: Sequence[str] = ()) -> list[Headline]:
    """Return the titles that the head states, without the site's name, the most reliable first."""
    names = list_site_names(page, site_parts)
    found = [
        Headline(read_line(value), DATA_HEADLINE)
        for article in page.articles
        if isinstance(value := article.get("headline") or article.get("name"), str)
    ]
    found += [Headline(page.metadata[name], name) for name in HEAD_FIELDS if name in page.metadata]
    found.append(Headline(page.document_title, "title"))
    cleaned = [Headline(remove_site_name(each.text, names), each.origin) for each in found]
    shared = {list_words(part) for part in site_parts}  # a title that all pages have is the site's
    return [
        each
        for each in cleaned
        if (words := list_words(each.text)) and words not in shared and len(each.text) <= MAX_TITLE_LENGTH
    ]


def list_site_names(page: GenericPage, site_parts: Sequence[str] = ()) -> list[str]:
    """Return what names the site: its metadata, its host, the host's longest part, and what its titles share."""
    names = [page.metadata.get(name, "") for name in SITE_NAME_FIELDS]
    longest_part = max(page.host.split("."), key=len)
    return [*names, page.host, page.host.rpartition(".")[0], longest_part, *site_parts]


def find_title_line(text: str) -> str | None:
    """Return the first line of a text if it may be a title: a few words that are no sentence, before other lines."""
    line, _, rest = text.partition("\n")
    is_short = MIN_LINE_WORDS <= len(list_words(line)) <= MAX_LINE_WORDS
    return line if rest and is_short and not line.endswith((".", "…", ":", ";", ",")) else None


def list_title_parts(page: GenericPage) -> set[str]:
    """Return the titles that the head states, or the parts at both their ends. Those of several pages name the site."""
    titles = [page.document_title, *(page.metadata[name] for name in HEAD_FIELDS if name in page.metadata)]
    parts = [split_title(title) for title in titles]
    return {part.strip() for each in parts for part in (each[0], each[-1]) if part.strip()}


def split_title(title: str) -> list[str]:
    """Return the parts of a title between its separators."""
    ends = [0, *(end for separator in find_separators(title) for end in separator.span()), len(title)]
    return [title[start:end] for start, end in zip(ends[::2], ends[1::2], strict=True)]


def find_separators(title: str) -> list[re.Match[str]]:
    """Return the separators of a title that are not in quotation marks."""
    return list(SEPARATOR.finditer(QUOTED.sub(lambda found: "x" * len(found[0]), title)))


def remove_site_name(title: str, names: Sequence[str]) -> str:
    """Return a title without the parts at its ends that name the site."""
    title = title.strip()
    separators = deque(find_separators(title))  # once: some titles have thousands
    start, end = 0, len(title)
    while separators:
        if _names_site(title[separators[-1].end() : end], names):
            end = separators.pop().start()
        elif _names_site(title[start : separators[0].start()], names):
            start = separators.popleft().end()
        else:
            break
    return title[start:end].strip()


def _names_site(part: str, names: Sequence[str]) -> bool:
    letters = "".join(list_words(part))
    if not letters:
        return True
    for name in names:
        known = "".join(list_words(name))
        if known and (
            letters == known
            or (len(letters) >= 3 and letters in known)
            or (len(known) >= 4 and known in letters and len(letters) < MAX_NAME_RATIO * len(known))
        ):
            return True
    return False


def list_headings(page: GenericPage, tag: str) -> list[str]:
    """Return the texts of the headings of one level, each once."""
    texts = [join_lines(parse_html(node)) for node in page.root.iter(tag)]
    return [text for text in dict.fromkeys(texts) if list_words(text) and len(text) <= MAX_TITLE_LENGTH]
