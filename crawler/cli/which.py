"""The stored article that a person means: by its id, its address in any clothes, or a source's own number for it."""

from __future__ import annotations

from collections.abc import Iterator

from crawler.config import Config
from crawler.errors import UsageError
from crawler.store import Store


def resolve_article(store: Store, text: str, config: Config) -> str:
    """The id of the one stored article meant; UsageError when there is none, or several."""
    text = text.strip()
    if store.articles.get_state(text):
        return text
    found = list(
        dict.fromkeys(
            [article.id for article in store.articles.list_by_url(text)] or _find_by_native_id(store, text, config)
        )
    )
    if not found:
        raise UsageError(
            f"There is no stored article {text!r} in {store.name}. Name one by its id or address; "
            "`crawler articles` lists them."
        )
    if len(found) > 1:
        raise UsageError(f"{text!r} may be {' or '.join(found)}: name one of these ids.")
    return found[0]


def _find_by_native_id(store: Store, text: str, config: Config) -> Iterator[str]:
    """The ids under which sources know this address or number."""
    from crawler import spiders

    for name in spiders.list_names():
        address = spiders.load_spider(name).make_site(config).identify(text) if "://" in text else None
        if address is None and not text.isalnum():
            continue
        native_id = address.native_id if address else text
        for article in store.articles.get_states(name, [native_id]).get(native_id, []):
            if address is None or address.language in (None, article.language):
                yield article.id
