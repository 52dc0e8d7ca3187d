"""Measure the generic extractor beside trafilatura and readability on labelled pages.

    python -m benchmarks.extraction FOLDER                 # every page
    python -m benchmarks.extraction FOLDER --sample 200    # about that many pages, as many of each source
    python -m benchmarks.extraction FOLDER --warm          # sites with five pages or more, each learned first

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

from crawler.generic.article_body import find_agreed_text
from crawler.generic.extractors import EXTRACTORS, run_extractors
from crawler.generic.page import GenericPage
from crawler.generic.page_lines import list_words
from crawler.generic.reader import read_article, read_page
from crawler.generic.site_memory import LEARNING_PAGES, SiteMemory
from crawler.text.decoding import decode_text

SEED = 7
MIN_SITE_PAGES = 5
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
    return hash_name(name_site(address)) % 2 == 1


def hash_name(name: str) -> int:
    """Return a number that is the same in every run."""
    return int(hashlib.sha1(name.encode()).hexdigest(), 16)


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
    parser.add_argument("--warm", action="store_true", help="Sites with several pages, with what was learned of them.")
    options = parser.parse_args()
    gold = json.loads((options.folder / "gold.json").read_text(encoding="utf-8"))
    if options.warm:
        measure_warm(options.folder, gold)
        return
    entries = sample_entries(gold, options.sample)
    results: defaultdict[str, list[tuple[dict[str, Any], Reading]]] = defaultdict(list)
    for number, entry in enumerate(entries.values(), start=1):
        html = decode_text((options.folder / entry["file"]).read_bytes())
        for name, method in METHODS.items():
            results[name].append((entry, measure_reading(method, html, entry.get("url") or "")))
        if number % 50 == 0:
            print(f"{number} of {len(entries)}", file=sys.stderr)
    print_table(results)


def measure_warm(folder: Path, gold: dict[str, Any]) -> None:
    """Print the body's F1 on sites with several pages: the vote of the extractors, each page alone, and with memory."""
    sites: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for key, entry in sorted(gold.items()):
        if entry["gold"].get("body") and entry.get("url"):
            sites[name_site(entry["url"])].append({**entry, "id": key})
    rows: list[tuple[dict[str, Any], dict[str, float]]] = []
    for site, entries in sites.items():
        if len(entries) < MIN_SITE_PAGES:
            continue
        memory = SiteMemory(site)
        # The key is the id, because several pages of a set may have been stored under one URL.
        htmls = {entry["id"]: decode_text((folder / entry["file"]).read_bytes()) for entry in entries}
        for entry in entries[:LEARNING_PAGES]:
            read_page(make_page(htmls[entry["id"]], entry), memory)
        for entry in entries:
            texts = run_extractors(htmls[entry["id"]])
            vote = texts[find_agreed_text(texts) or "trafilatura"]
            cold = read_page(make_page(htmls[entry["id"]], entry)).body or ""
            start = time.process_time()
            warm = read_page(make_page(htmls[entry["id"]], entry), memory).body or ""
            cpu = 1000 * (time.process_time() - start)
            found = {"trafilatura": texts["trafilatura"], "vote": vote, "cold": cold, "warm": warm}
            rows.append((entry, {"cpu": cpu} | {name: score_text(entry, text) for name, text in found.items()}))
    groups: dict[str, Callable[[dict[str, Any]], bool]] = {
        "all": lambda entry: True,
        "tuning sites": lambda entry: not is_held_out(entry["url"]),
        "held out sites": lambda entry: is_held_out(entry["url"]),
        "Russian": lambda entry: entry["lang"] == "ru",
    }
    names = ("trafilatura", "vote", "cold", "warm")
    print(f"{'body F1':<16}{'pages':>6}" + "".join(f"{name:>12}" for name in names) + f"{'CPU ms':>8}")
    for group, belongs in groups.items():
        scores = [score for entry, score in rows if belongs(entry)]
        if scores:
            means = [statistics.mean(score[name] for score in scores) for name in names]
            median = statistics.median(score["cpu"] for score in scores)
            print(f"{group:<16}{len(scores):>6}" + "".join(f"{mean:>12.3f}" for mean in means) + f"{median:>8.0f}")


def make_page(html: str, entry: dict[str, Any]) -> GenericPage:
    return GenericPage(html, f"{entry['url']}#{entry['id']}")


def score_text(entry: dict[str, Any], text: str) -> float:
    return score_body(text, entry["gold"]["body"], entry["gold"].get("body_optional") or "")


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
