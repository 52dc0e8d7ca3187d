"""Measure the generic extractor beside trafilatura and readability on labelled pages.

    python -m benchmarks.extraction FOLDER                 # every page, and the sites with several pages also warm
    python -m benchmarks.extraction FOLDER --sample 200    # about that many pages, the same share of each source

FOLDER has `gold.json` ({"<id>": {"file": …, "source": …, "lang": …, "url": …, "gold": {"title"?, "body"?,
"body_optional"?, "published"?}}}) and the pages that it names. Every figure is the mean over the sources' means, for
the sites that the weights were fitted on (tuning) and for all others (held out).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import statistics
import sys
import time
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from crawler.generic.extractors import EXTRACTORS
from crawler.generic.page_lines import list_words
from crawler.generic.reader import read_article
from crawler.text.decoding import decode_text

SEED = 7
Fields = dict[str, str | None]


class Reading(NamedTuple):
    """One page as one method reads it, with the CPU time in milliseconds."""

    fields: Fields
    cpu: float


def name_site(address: str) -> str:
    """Return the host of a URL without `www.`, or a file's name."""
    return (urlsplit(address).hostname or address).removeprefix("www.")


def is_held_out(address: str) -> bool:
    """Return whether a page's site is kept aside: by a hash of its name, so that it never changes."""
    return int(hashlib.sha1(name_site(address).encode()).hexdigest(), 16) % 2 == 1


def sample_entries(gold: dict[str, Any], count: int | None) -> dict[str, Any]:
    """Return about `count` entries, the same number of each source where there are as many; all for None."""
    by_source: defaultdict[str, list[str]] = defaultdict(list)
    for key in sorted(gold):
        by_source[gold[key]["source"]].append(key)
    chosen = []
    for keys in by_source.values():
        random.Random(SEED).shuffle(keys)
        chosen += keys[: count // len(by_source)] if count else keys
    return {key: gold[key] for key in chosen}


def read_by_us(html: str, url: str) -> Fields:
    article = read_article(html, url)
    return {"title": article.title, "body": article.body, "published": (article.published_at or "")[:10] or None}


def read_by_trafilatura(html: str, url: str, **options: bool) -> Fields:
    import trafilatura

    found = trafilatura.bare_extraction(html, url=url or None, with_metadata=True, include_comments=False, **options)
    return {"title": found.title, "body": found.text, "published": found.date} if found else {}


def read_by_readability(html: str, url: str) -> Fields:
    import readability

    return {"title": readability.Document(html).short_title(), "body": EXTRACTORS["readability"](html)}


METHODS: dict[str, Callable[[str, str], Fields]] = {
    "crawler, cold": read_by_us,
    "trafilatura, precision": lambda html, url: read_by_trafilatura(html, url, favor_precision=True),
    "trafilatura, default": read_by_trafilatura,
    "trafilatura, fast": lambda html, url: read_by_trafilatura(html, url, fast=True),
    "readability": read_by_readability,
}


def measure_reading(method: Callable[[str, str], Fields], html: str, url: str) -> Reading:
    start = time.process_time()
    try:
        fields = method(html, url)
    except Exception as error:  # noqa: BLE001 - a page that a method cannot read counts as nothing found
        print(f"{url}: {error!r}", file=sys.stderr)
        fields = {}
    return Reading(fields, 1000 * (time.process_time() - start))


def score_reading(gold: dict[str, Any], fields: Fields) -> dict[str, float]:
    """Return the scores of the fields that the gold has: word F1, same title, same day."""
    scores = {}
    if gold.get("body"):
        scores["body"] = score_body(fields.get("body") or "", gold["body"], gold.get("body_optional") or "")
    if gold.get("title"):
        scores["title"] = float(split_words(fields.get("title") or "") == split_words(gold["title"]))
    if gold.get("published"):
        scores["date"] = float((fields.get("published") or "") in gold["published"])
    return scores


def score_body(found: str, wanted: str, optional: str) -> float:
    """Return the F1 of the words as multisets. Optional text is neither rewarded nor punished."""
    have, want = Counter(split_words(found)), Counter(split_words(wanted))
    have -= (have - want) & Counter(split_words(optional))
    return 2 * (have & want).total() / (have.total() + want.total()) if have or want else 1.0


def split_words(text: str) -> list[str]:
    return list(list_words(unicodedata.normalize("NFKC", text)))


def average_by_source(rows: Iterable[tuple[str, float]]) -> float:
    by_source: defaultdict[str, list[float]] = defaultdict(list)
    for source, value in rows:
        by_source[source].append(value)
    return statistics.mean(map(statistics.mean, by_source.values())) if by_source else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the generic extractor on labelled pages.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sample", type=int, metavar="N", help="About N pages. Default: all.")
    options = parser.parse_args()
    gold = json.loads((options.folder / "gold.json").read_text(encoding="utf-8"))
    entries = sample_entries(gold, options.sample)
    results: defaultdict[str, list[tuple[dict[str, Any], Reading]]] = defaultdict(list)
    for number, entry in enumerate(entries.values(), start=1):
        html = decode_text((options.folder / entry["file"]).read_bytes())
        for name, method in METHODS.items():
            results[name].append((entry, measure_reading(method, html, entry.get("url") or "")))
        if number % 50 == 0:
            print(f"{number} of {len(entries)}", file=sys.stderr)
    print_table(results)


def print_table(results: dict[str, list[tuple[dict[str, Any], Reading]]]) -> None:
    print(f"{'':<24}{'tuning sites':^24}{'held out sites':^24}{'CPU ms':>8}")
    print(f"{'':<24}" + 2 * f"{'body':>8}{'title':>8}{'date':>8}" + f"{'median':>8}")
    for name, readings in results.items():
        cells = []
        for held_out in (False, True):
            scored = [
                (entry["source"], score_reading(entry["gold"], reading.fields))
                for entry, reading in readings
                if is_held_out(entry.get("url") or entry["file"]) is held_out
            ]
            cells += [
                average_by_source((source, scores[field]) for source, scores in scored if field in scores)
                for field in ("body", "title", "date")
            ]
        median = statistics.median(reading.cpu for _, reading in readings)
        print(f"{name:<24}" + "".join(f"{cell:>8.3f}" for cell in cells) + f"{median:>8.0f}")


if __name__ == "__main__":
    main()
