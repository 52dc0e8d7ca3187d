"""How much of a sentence is capitalised. In a headline such as "Red Cross Opens Office" capitals mark no names."""

from __future__ import annotations

from collections.abc import Sequence


def measure_capital_share(words: Sequence[str], *, min_words: int = 1) -> float:
    """Return the share of words that begin with a capital letter, or 0.0 for fewer than `min_words` words.

    Callers pass only longer words, because headlines write "of" and "the" in small letters.
    """
    if len(words) < max(min_words, 1):
        return 0.0
    return sum(word[0].isupper() for word in words) / len(words)
