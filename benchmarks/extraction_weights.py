"""Fit the weights of the generic extractor's lines (`crawler/defaults/line_weights.toml`).

    python -m benchmarks.extraction_weights PAGES GOLD [-o FILE]   # fit them
    python -m benchmarks.extraction_weights PAGES GOLD --check     # read each site by the weights of the other sites

GOLD is JSON: {"<id>": {"file": …, "source": …, "url": …, "gold": {"body": …, "body_optional"?: …}}}; files are in
PAGES. The weights are fitted on the sites of the tuning half (see `benchmarks.extraction.is_held_out`), the check uses
all sites; every source counts the same. Weights are logistic regressions by Newton's method: the second sees judgements
of the first about other sites.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.extraction import average_by_source, hash_name, is_held_out, name_site, score_text
from crawler.generic.article_body import (
    LineOpinions,
    choose_body,
    convert_to_probability,
    find_lead,
    read_structured_body,
)
from crawler.generic.extractors import run_extractors
from crawler.generic.headline import find_headline
from crawler.generic.line_features import Features, add_score_features, make_features, mark_lines
from crawler.generic.page import GenericPage
from crawler.generic.page_lines import PageLine
from crawler.text.decoding import decode_text

FOLDS = 5
PENALTY = 0.0005
MIN_LINE_WEIGHT, MIN_PAGE_WORDS = 2, 50


class LabelledPage(NamedTuple):
    """A page without scores of its lines: features, whether each is in the article, how much each counts; the fold."""

    entry: dict[str, Any]
    title: str
    opinions: LineOpinions
    rows: list[Features]
    labels: list[float]
    weights: list[float]
    fold: int

    @property
    def lines(self) -> Sequence[PageLine]:
        return self.opinions.lines


def main() -> None:
    parser = argparse.ArgumentParser(description="Fit crawler/defaults/line_weights.toml.")
    parser.add_argument("pages", type=Path)
    parser.add_argument("gold", type=Path)
    parser.add_argument("-o", dest="output", type=Path, default=Path("crawler/defaults/line_weights.toml"))
    parser.add_argument(
        "--check", action="store_true", help="Print the body's F1 of sites that the weights do not know."
    )
    options = parser.parse_args()
    by_source: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for _, entry in sorted(json.loads(options.gold.read_text(encoding="utf-8")).items()):
        is_wanted = options.check or not is_held_out(entry.get("url") or entry["file"])
        if is_wanted and entry["gold"].get("body"):
            by_source[entry["source"]].append(entry)
    pages = []
    for entries in by_source.values():
        pages += [page for entry in entries if (page := label_page(options.pages, entry, 1 / len(entries)))]
        print(len(pages), file=sys.stderr)
    if options.check:
        check_weights(pages)
    else:
        options.output.write_text(format_weights(*fit_weights(pages)), encoding="utf-8")


def label_page(folder: Path, entry: dict[str, Any], share: float) -> LabelledPage | None:
    """Return a page that counts for a `share` of its source, or None for one without lines."""
    page = GenericPage(decode_text((folder / entry["file"]).read_bytes()), entry.get("url") or "")
    if not page.lines:
        return None
    texts = run_extractors(page.html)
    headline = find_headline(page)
    title = headline.text if headline else ""
    opinions = LineOpinions(page.lines, (), texts, read_structured_body(page), find_lead(page, title))
    marks = mark_lines(page.lines, opinions.structured) if opinions.structured else None
    rows = make_features(page.lines, {name: mark_lines(page.lines, text) for name, text in texts.items()}, title, marks)
    labels = mark_lines(page.lines, entry["gold"]["body"])
    optional = mark_lines(page.lines, entry["gold"].get("body_optional") or "")
    total = max(sum(len(line.words) for line, label in zip(page.lines, labels, strict=True) if label), MIN_PAGE_WORDS)
    weights = [
        0.0 if is_optional and not label else share * min(max(len(line.words), MIN_LINE_WEIGHT) / total, 1.0)
        for line, label, is_optional in zip(page.lines, labels, optional, strict=True)
    ]
    fold = hash_name(name_site(entry.get("url") or entry["file"])) % FOLDS
    return LabelledPage(entry, title, opinions, rows, labels, weights, fold)


def fit_weights(pages: list[LabelledPage]) -> tuple[dict[str, float], dict[str, float]]:
    first = fit_regression(pages)
    second = []
    for fold in range(FOLDS):
        others = fit_regression([page for page in pages if page.fold != fold])
        second += [judge_page(page, others) for page in pages if page.fold == fold]
    return first, fit_regression(second)


def check_weights(pages: list[LabelledPage]) -> None:
    """Print the F1 of each source's texts and their mean, each site read by weights of the others."""
    results = []
    for fold in range(FOLDS):
        first, second = fit_weights([page for page in pages if page.fold != fold])
        for page in pages:
            if page.fold == fold:
                scores = score_rows(judge_page(page, first).rows, second)
                body = choose_body(replace(page.opinions, scores=scores), page.title)
                results.append((page.entry["source"], score_text(page.entry, body.text if body else "")))
    for source in sorted({source for source, _ in results}):
        scores = [score for each, score in results if each == source]
        print(f"{source:<12}{len(scores):>6}{statistics.mean(scores):>8.3f}")
    print(f"{'mean':<12}{len(results):>6}{average_by_source(results):>8.3f}")


def judge_page(page: LabelledPage, weights: dict[str, float]) -> LabelledPage:
    probabilities = [convert_to_probability(score) for score in score_rows(page.rows, weights)]
    return page._replace(rows=add_score_features(page.rows, page.lines, probabilities))


def score_rows(rows: list[Features], weights: dict[str, float]) -> list[float]:
    return [sum(weights[name] * value for name, value in row.items()) for row in rows]


def fit_regression(pages: list[LabelledPage]) -> dict[str, float]:
    names = list(pages[0].rows[0])
    features = np.array([[row[name] for name in names] for page in pages for row in page.rows])
    labels = np.array([label for page in pages for label in page.labels])
    weights = np.array([weight for page in pages for weight in page.weights])
    weights /= weights.sum()
    solution = np.zeros(len(names))
    for _ in range(40):
        odds = 1 / (1 + np.exp(-np.clip(features @ solution, -30, 30)))
        slope = features.T @ (weights * (odds - labels)) + PENALTY * solution
        bend = (features * (weights * odds * (1 - odds))[:, None]).T @ features + PENALTY * np.eye(len(names))
        step = np.linalg.solve(bend, slope)
        solution -= step
        if abs(step).max() < 1e-4:
            break
    return dict(zip(names, (float(value) for value in solution), strict=True))


def format_weights(first: dict[str, float], second: dict[str, float]) -> str:
    lines = [
        "# Weights of the features of a line (crawler/generic/line_features.py): log-odds of being in the article.",
        "# Written by `python -m benchmarks.extraction_weights` from the tuning half of a labelled set of pages.",
    ]
    for name, weights in (("first", first), ("second", second)):
        lines += ["", f"[{name}]", *(f"{key} = {value:.3f}" for key, value in weights.items())]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
