"""What a person asks outputs for: rules, sources, languages and times by name, checked before anything is read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from crawler.cli import time_options as moment
from crawler.config import Config
from crawler.errors import UnknownSource, UsageError, suggest_nearest
from crawler.items import Strength
from crawler.keywords import load_rules
from crawler.publish import ArticleQuery
from crawler.publish.translations import OUTPUT_LANGUAGES


def make_query(
    config: Config,
    *,
    rules: Sequence[str] = (),
    sources: Sequence[str] = (),
    languages: Sequence[str] = (),
    strength: Strength = Strength.STRONG,
    since: str | None = None,
    until: str | None = None,
    everything: bool = False,
) -> ArticleQuery:
    """What is asked for; UsageError names the nearest word for one that is not known."""
    from crawler import spiders

    _raise_if_unknown("rule", rules, get_rule_titles(config))
    _raise_if_unknown("language", languages, OUTPUT_LANGUAGES)
    for source in sources:
        if source not in spiders.list_names():
            raise UnknownSource(source, spiders.list_names())
    return ArticleQuery(
        rules=tuple(rules),
        sources=tuple(sources),
        languages=tuple(languages),
        strength=strength,
        since=moment.parse_since(since, config.timezone),
        until=moment.parse_since(until, config.timezone, option="--until"),
        include_unmatched=everything,
    )


def get_rule_titles(config: Config, language: str = "en") -> dict[str, str]:
    """The titles of the rules in force in a language, by name."""
    return load_rules(config.rules).get_titles(language)


def _raise_if_unknown(kind: str, given: Iterable[str], known: Iterable[str]) -> None:
    names = sorted(known)
    for name in given:
        if name not in names:
            hint = suggest_nearest(name, names) or "."
            raise UsageError(f"There is no {kind} {name!r}{hint} Known {kind}s: {', '.join(names)}.")
