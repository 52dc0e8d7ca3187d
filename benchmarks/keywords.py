"""Finding rules in articles: ours against plain `re`, Snowball stems and pymorphy3, on the same texts.

    python benchmarks/keywords.py [--texts 300] [--seconds 1.5]

Prints articles a second (CPU) at 10, 1,000 and 10,000 rules, and what loading 10,000 rules takes. Rules are one
two-word term each, a third per language, none of which stands in a text; every fiftieth text names the Red Cross.
Snowball and pymorphy3 (`pip install snowballstemmer pymorphy3`) reduce each word of a text and look two-word terms up
in a set: the cost is the reducing, whatever the rules.
"""

from __future__ import annotations

import argparse
import random
import re
import resource
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

SIZES = (10, 1_000, 10_000)
SYLLABLES = {
    "en": "ba ber con den for gal har in kel lor men nor pra qui res sol tem ven wil yor",
    "ru": "ба бер вон ден жар зал кир лов мен нор пра рес сол тем уг фил хор цен шар эк",
    "kk": "ақ бай қар дән жол зау кіл мұн нар өрт піш рас сұл тоң үйр шың ын іл әу ғыл",
}
NEWS = {
    "en": "The foreign minister met the head of the delegation in Astana and spoke about trade, borders and water. "
    "The sides praised the growth of exports, and agreed to open a new crossing next spring, the ministry said. ",
    "ru": "Министр иностранных дел принял главу делегации в Астане и обсудил с ним торговлю, границы и воду. Стороны "
    "отметили рост экспорта и договорились открыть весной новый пункт пропуска, сообщили в министерстве. ",
    "kk": "Сыртқы істер министрі Астанада делегация басшысымен кездесіп, сауда, шекара және су мәселелерін талқылады. "
    "Тараптар экспорттың өскенін атап өтіп, көктемде жаңа өткізу бекетін ашуға келісті, деп хабарлады министрлік. ",
}
NAMED = {"en": "The Red Cross was there. ", "ru": "Был и Красный Крест. ", "kk": "Қызыл Крест те болды. "}


def make_word(language: str, dice: random.Random) -> str:
    return "".join(dice.choices(SYLLABLES[language].split(), k=3))


def make_terms(count: int) -> list[tuple[str, str]]:
    """(language, two-word term), a third per language."""
    dice = random.Random(1)
    made = []
    for number in range(count):
        language = ("en", "ru", "kk")[number % 3]
        first, last = make_word(language, dice), make_word(language, dice)
        made.append((language, f"{first}ный {last}" if language == "ru" else f"{first} {last}"))
    return made


def make_texts(count: int) -> list[str]:
    """Articles of about 2,500 characters with words of their own in between."""
    dice = random.Random(2)
    made = []
    for number in range(count):
        language = ("en", "ru", "kk")[number % 3]
        parts = [
            NEWS[language] + " ".join(make_word(language, dice) for _ in range(12)).capitalize() + ". "
            for _ in range(9)
        ]
        made.append("".join(parts) + (NAMED[language] if number % 50 == 0 else ""))
    return made


def measure_rate(run: Callable[[str], object], articles: list[str], seconds: float) -> float:
    """Articles a second of CPU time, over at least one article."""
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
    """CPU seconds and MB of resident memory that making a matcher takes beyond the bare process."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    make_matcher(rules)
    return time.process_time() - start, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--texts", type=int, default=300)
    options.add_argument("--seconds", type=float, default=1.5)
    given = options.parse_args()
    articles = make_texts(given.texts)
    seconds, memory = measure_loading(make_terms(10_000))
    print(f"{len(articles)} articles of {sum(map(len, articles)) / len(articles):,.0f} characters")
    print(f"loading 10,000 rules: {seconds:.1f} s, {memory:.0f} MB")
    print(f"{'articles a second':20}" + "".join(f"{size:>10,}" for size in SIZES) + " rules")
    for name, make in (
        ("ours", make_matcher),
        ("re", make_regex),
        ("Snowball", make_snowball),
        ("pymorphy3", make_pymorphy),
    ):
        figures = []
        for size in SIZES:
            try:
                figures.append(measure_rate(make(make_terms(size)), articles, given.seconds))
            except ModuleNotFoundError as error:
                print(f"{name:20}not installed: {error.name}")
                break
        else:
            print(f"{name:20}" + "".join(f"{figure:>10,.0f}" for figure in figures))


if __name__ == "__main__":
    main()
