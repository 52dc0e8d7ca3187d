"""The words of a text in folded form: what two texts have in common, however they are written."""

from __future__ import annotations

from crawler.text.folding import decode_folded, fold_text


def split_folded_words(text: str) -> list[str]:
    """Folded words in order; marks are left out.

    >>> words("Red\\u00a0Cross’s «Қызыл Крест»")
    ['red', 'cross', 's', 'кызыл', 'крест']
    """
    return [decode_folded(word) for word in fold_text(text).data.split() if word != b"."]
