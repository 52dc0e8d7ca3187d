"""Test the table of number words: each word has one value, and each reader gets the words that are safe for it."""

from __future__ import annotations

from crawler.defaults import load_default_toml
from crawler.text.number_words import (
    load_all_words,
    load_cardinal_words,
    load_fingerprinted_words,
    load_scale_words,
)


def test_each_word_has_one_value_in_small_letters() -> None:
    values: dict[str, set[str]] = {}
    for table in ("fingerprinted", "cardinal", "ambiguous", "ordinal", "scale"):
        for value, words in load_default_toml("number_words.toml")[table].items():
            for word in words.split():
                values.setdefault(word, set()).add(value)
    assert {word for word, found in values.items() if len(found) > 1 or word != word.lower()} == set()


def test_words_with_another_meaning_are_no_cardinals() -> None:
    assert {"one", "он", "second"} <= load_all_words().keys()
    assert not {"one", "он", "second"} & load_cardinal_words().keys()


def test_fingerprinted_words_do_not_grow() -> None:
    assert len(load_fingerprinted_words()) == 53  # Stored keys of fingerprints are made of these.
    assert load_scale_words()["млн"] == 1e6
