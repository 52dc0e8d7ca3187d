"""What a person asks outputs for: rules, sources, languages and times by name, checked before anything is read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from crawler.cli import moment
from crawler.config import Config
from crawler.entries import Wanted
from crawler.entries.phrases import LANGUAGES
from crawler.errors import UnknownSource, UsageError, nearest
from crawler.items import Strength
from crawler.keywords import load_rules


def asked(
    config: Config,
    *,
    rules: Sequence[str] = (),
    sources: Sequence[str] = (),
    languages: Sequence[str] = (),
    strength: Strength = Strength.STRONG,
    since: str | None = None,
    until: str | None = None,
    everything: bool = False,
) -> Wanted:
    """What is asked for; UsageError names the nearest word for one that is not known."""
    from crawler import spiders

    _check("rule", rules, titles(config))
    _check("language", languages, LANGUAGES)
    for source in sources:
        if source not in spiders.names():
            raise UnknownSource(source, spiders.names())
    return Wanted(
        rules=tuple(rules),
        sources=tuple(sources),
        languages=tuple(languages),
        strength=strength,
        since=moment.since(since, config.timezone),
        until=moment.since(until, config.timezone, option="--until"),
        everything=everything,
    )


def titles(config: Config, language: str = "en") -> dict[str, str]:
    """The titles of the rules in force in a language, by name."""
    return load_rules(config.rules).titles(language)


def _check(kind: str, given: Iterable[str], known: Iterable[str]) -> None:
    names = sorted(known)
    for name in given:
        if name not in names:
            hint = nearest(name, names) or "."
            raise UsageError(f"There is no {kind} {name!r}{hint} Known {kind}s: {', '.join(names)}.")
