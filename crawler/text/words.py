"""The words of a text in folded form: what two texts have in common, however they are written."""

from __future__ import annotations

from crawler.text.normalise import decoded, fold


def words(text: str) -> list[str]:
    """Folded words in order; marks are left out.

    >>> words("Red\\u00a0Cross’s «Қызыл Крест»")
    ['red', 'cross', 's', 'кызыл', 'крест']
    """
    return [decoded(word) for word in fold(text).data.split() if word != b"."]
