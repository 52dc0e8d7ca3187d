"""Compare our matcher with bare ahocorasick-rs, plain `re`, Snowball stems and pymorphy3 on the same texts.

    python -m benchmarks.keywords [--texts 300] [--seconds 1.5]

Prints articles a second (CPU) at 10, 1,000 and 10,000 rules, and time and memory to load 10,000 rules. A rule is one
term of two words, a third per language, and no text has it. Every twentieth text names the Red Cross. ahocorasick-rs is
the automaton within the matcher. Alone it looks for the terms as written, or for our patterns, in the text in small
letters: without folding, the borders of words and context rules. Snowball and pymorphy3 (`pip install snowballstemmer
pymorphy3`) reduce each word of a text and look up terms in a set. Their cost is the reduction, so it does not depend on
the rules. The last lines are the CPU times of one text of 1 MB with 20,000 matches of the shipped rules, which must be
under 2 s, and of one of 2 MB: about twice as much, because time is proportional to length and matches.
"""

from __future__ import annotations

import argparse
import random
import re
import resource
import time
from collections.abc import Callable, Sequence
from itertools import pairwise

from ahocorasick_rs import AhoCorasick

from benchmarks.corpus import SYLLABLES, make_release
from crawler.keywords.automaton import make_patterns
from crawler.text.folding import decode_folded

SIZES = (10, 1_000, 10_000)


def make_word(language: str, chance: random.Random) -> str:
    return "".join(chance.choices(SYLLABLES[language].split(), k=3))


def make_terms(count: int) -> list[tuple[str, str]]:
    """Return pairs of a language and a term of two words, a third per language."""
    chance = random.Random(1)
    made = []
    for number in range(count):
        language = ("en", "ru", "kk")[number % 3]
        first, last = make_word(language, chance), make_word(language, chance)
        made.append((language, f"{first}ный {last}" if language == "ru" else f"{first} {last}"))
    return made


def make_texts(count: int) -> list[str]:
    """Return articles of about 2,200 characters in three languages, with words of their own."""
    return ["\n".join(make_release(number).paragraphs) for number in range(count)]


def measure_rate(run: Callable[[str], object], articles: list[str], seconds: float) -> float:
    """Return articles a second of CPU time."""
    start = time.process_time()
    done = 0
    while True:
        run(articles[done % len(articles)])
        done += 1
        if (spent := time.process_time() - start) >= seconds:
            return done / spent


def make_matcher(rules: list[tuple[str, str]]) -> Callable[[str], object]:
    from crawler.keywords import Matcher, parse_rules

    lines = [f'[[rule]]\nname = "r{n}"\nterms.{language} = ["{term}"]\n' for n, (language, term) in enumerate(rules)]
    matcher = Matcher(parse_rules("\n".join(lines)))
    return lambda text: matcher.find_matches({"body": text})


def make_bare_automaton(rules: list[tuple[str, str]]) -> Callable[[str], object]:
    search = AhoCorasick([term.lower() for _, term in rules]).find_matches_as_indexes
    return lambda text: search(text.lower(), overlapping=True)


def make_automaton_of_patterns(rules: list[tuple[str, str]]) -> Callable[[str], object]:
    patterns = {pattern for language, term in rules for pattern, _ in make_patterns(term, language)}
    search = AhoCorasick([decode_folded(pattern) for pattern in patterns]).find_matches_as_indexes
    return lambda text: search(text.lower(), overlapping=True)


def make_regex(rules: list[tuple[str, str]]) -> Callable[[str], object]:
    pattern = re.compile(r"\b(?:" + "|".join(re.escape(term) for _, term in rules) + r")\b", re.IGNORECASE)
    return pattern.findall


def make_stem_search(rules: list[tuple[str, str]], reduce: Callable[[str], str]) -> Callable[[str], object]:
    wanted = {tuple(reduce(part) for part in term.lower().split()) for _, term in rules}
    words = re.compile(r"\w+")

    def run(text: str) -> object:
        stems = [reduce(one) for one in words.findall(text.lower())]
        return [pair for pair in pairwise(stems) if pair in wanted]

    return run


def make_snowball(rules: list[tuple[str, str]]) -> Callable[[str], object]:
    import snowballstemmer

    return make_stem_search(rules, snowballstemmer.stemmer("russian").stemWord)


def make_pymorphy(rules: list[tuple[str, str]]) -> Callable[[str], object]:
    import pymorphy3

    analyzer = pymorphy3.MorphAnalyzer()
    return make_stem_search(rules, lambda one: str(analyzer.parse(one)[0].normal_form))


def measure_loading(rules: list[tuple[str, str]]) -> tuple[float, float]:
    """Return the CPU seconds and the MB of resident memory that a new matcher takes."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    make_matcher(rules)
    return time.process_time() - start, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def measure_dense_texts(counts: Sequence[int]) -> list[float]:
    """Return the CPU seconds for a text with each of these numbers of matches (20,000 are 1 MB): the best of three."""
    from crawler.keywords import Matcher, load_rules

    matcher = Matcher(load_rules())
    sentence = "The Red Cross sent volunteers to the flooded districts. \n"
    matcher.find_matches({"body": sentence})
    seconds = []
    for count in counts:
        spent = []
        for _ in range(3):
            start = time.process_time()
            matches = matcher.find_matches({"body": sentence * count}, "en", "mfa")
            spent.append(time.process_time() - start)
            assert len(matches) == count
        seconds.append(min(spent))
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=1.5)
    options = parser.parse_args()
    articles = make_texts(options.texts)
    seconds, memory = measure_loading(make_terms(10_000))
    print(f"{len(articles)} articles of {sum(map(len, articles)) / len(articles):,.0f} characters")
    print(f"loading 10,000 rules: {seconds:.1f} s, {memory:.0f} MB")
    print(f"{'articles a second':20}" + "".join(f"{size:>10,}" for size in SIZES) + " rules")
    for name, make in (
        ("ours", make_matcher),
        ("ahocorasick-rs", make_bare_automaton),
        ("… our patterns", make_automaton_of_patterns),
        ("re", make_regex),
        ("Snowball", make_snowball),
        ("pymorphy3", make_pymorphy),
    ):
        figures = []
        for size in SIZES:
            try:
                figures.append(measure_rate(make(make_terms(size)), articles, options.seconds))
            except ModuleNotFoundError as error:
                print(f"{name:20}not installed: {error.name}")
                break
        else:
            print(f"{name:20}" + "".join(f"{figure:>10,.0f}" for figure in figures))
    one, two = measure_dense_texts((20_000, 40_000))
    print(f"a text of 1 MB with 20,000 matches: {one:.1f} s (limit: 2 s)")
    print(f"a text of 2 MB with 40,000 matches: {two:.1f} s, {two / one:.1f} times as long")


if __name__ == "__main__":
    main()
