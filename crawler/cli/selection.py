"""What a command's arguments name: rules, sources, languages and times (a query), or one stored article."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from crawler.cli.time_options import parse_since
from crawler.config import Config
from crawler.config.source_folder import get_snapshots_folder, list_definition_files
from crawler.errors import UnknownSource, UsageError, suggest_nearest
from crawler.items import Strength
from crawler.text.language import TEXT_LANGUAGES

if TYPE_CHECKING:
    from crawler.publish.query import ArticleQuery
    from crawler.store import Store


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
    """Return the query that these options describe. Raise UsageError, with the nearest name, for an unknown one."""
    from crawler.publish.query import ArticleQuery

    if rules:  # to parse the rules takes longer than to list a few articles
        raise_if_unknown("rule", rules, get_rule_titles(config))
    raise_if_unknown("language", languages, TEXT_LANGUAGES)
    raise_if_unknown_source(sources)
    return ArticleQuery(
        rules=tuple(rules),
        sources=tuple(sources),
        languages=tuple(languages),
        strength=strength,
        since=parse_since(since, config.timezone),
        until=parse_since(until, config.timezone, option="--until"),
        include_unmatched=everything,
    )


def choose_output_language(*names: str | None) -> str:
    """Return the first language that is given, else `en`. Raise UsageError for one without phrases."""
    from crawler.publish.phrases import OUTPUT_LANGUAGES

    language = next(filter(None, names), "en")
    raise_if_unknown("language", [language], OUTPUT_LANGUAGES)
    return language


def get_rule_titles(config: Config, language: str = "en") -> dict[str, str]:
    """Return the titles of the rules in force in a language, by the rules' names."""
    from crawler.keywords import load_rules

    return load_rules(config.rules).get_titles(language)


def resolve_article(store: Store, text: str, config: Config) -> str:
    """Return the id of the one stored article that a text names by id, URL or the source's own number.

    Raise UsageError when the text names no stored article, or several.
    """
    found = find_article_ids(store, text, config)
    if not found:
        raise UsageError(
            f"There is no stored article {text.strip()!r} in {store.name}. Name one by its id or address; "
            "`crawler articles` lists them."
        )
    if len(found) > 1:
        raise UsageError(f"{text.strip()!r} may be {' or '.join(found)}: name one of these ids.")
    return found[0]


def find_article_ids(store: Store, text: str, config: Config) -> list[str]:
    """Return the ids of the stored articles that a text names by id, URL or the source's own number."""
    text = text.strip()
    if store.articles.get_state(text):
        return [text]
    ids = [article.id for article in store.articles.list_by_url(text)] or _find_by_native_id(store, text, config)
    return list(dict.fromkeys(ids))


def find_source_of_url(url: str, config: Config, example: str = "crawl mfa --url") -> str:
    """Return the name of the source that a URL belongs to. Raise UsageError when it belongs to none.

    The error shows the `example` of a command that names a source.
    """
    from crawler import spiders

    for name, spider in spiders.load_spiders().items():
        base = config.get_source(name).base_url
        if spider.make_site(config).identify(url) or url.startswith((*spider.origins, *([base] if base else []))):
            return name
    raise UsageError(f"{url} belongs to no source; name one, such as `crawler {example} {url}`.")


def choose_snapshots(folder: Path | None, source: str) -> Path:
    """Return the folder of a source's snapshots: the given one, else `snapshots` here, else beside its definition."""
    here = Path("snapshots")
    if folder is not None or (here / source).is_dir() or source not in list_definition_files():
        return folder or here
    return get_snapshots_folder()


def _find_by_native_id(store: Store, text: str, config: Config) -> Iterator[str]:
    """Yield the ids of the articles to which a source gave this number, or the number in this URL."""
    from crawler import spiders

    for name, spider in spiders.load_spiders().items():
        address = spider.make_site(config).identify(text) if "://" in text else None
        if address is None and not text.isalnum():
            continue
        native_id = address.native_id if address else text
        for article in store.articles.get_states(name, [native_id]).get(native_id, []):
            if address is None or address.language in (None, article.language):
                yield article.id


def raise_if_unknown_source(names: Iterable[str]) -> None:
    """Raise UnknownSource, with the nearest name, for a name that no source has."""
    from crawler import spiders

    for name in names:
        if name not in spiders.list_names():
            raise UnknownSource(name, spiders.list_names())


def raise_if_unknown(kind: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Raise UsageError that lists the known names and suggests the nearest one.

    It suggests no language: all two-letter names are similar.
    """
    choices = sorted(known)
    for name in names:
        if name not in choices:
            hint = (kind != "language" and suggest_nearest(name, choices)) or "."
            raise UsageError(f"There is no {kind} {name!r}{hint} Known {kind}s: {', '.join(choices)}.")
