"""The query of the index finds every text that the query means, with the words that the texts have."""

from __future__ import annotations

from collections.abc import Collection

from hypothesis import assume, given
from hypothesis import strategies as st

from crawler.keywords.index_query import (
    IndexAnd,
    IndexFacet,
    IndexNode,
    IndexNot,
    IndexOr,
    IndexPhrase,
    Vocabulary,
    WordRange,
    make_index_query,
)
from crawler.keywords.matcher import QueryMatcher
from crawler.keywords.search_query import interpret_query
from crawler.store.search_index import fold_fields, list_words

WORDS = (
    "visit visits Визит визитами Красный Креста крест комитетінің комитет МККК МККК3 covid19 12 1949 x5 a и O'Neil AT&T"
    " Жомарт-Кемел lang date дата Қызыл 2 ."
).split()
TEXTS = st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=5)), min_size=1, max_size=8).map(" ".join)


def does_hold(node: IndexNode, folded: str) -> bool:
    """Return whether a text that is folded as in the index has what a node asks for."""
    match node:
        case IndexPhrase(words, _, is_open):
            return f" {' '.join(words)}{'' if is_open else ' '}" in f" {folded} "
        case IndexAnd(parts):
            return all(does_hold(part, folded) for part in parts)
        case IndexOr(parts):
            return any(does_hold(part, folded) for part in parts)
        case IndexNot(part):
            return not does_hold(part, folded)
        case IndexFacet():
            return False  # The text has no language.


@given(text=TEXTS, words=TEXTS, shape=st.sampled_from(("{}", '"{}"', "={}", "{}*", "-{}", "({}) OR other")))
def test_text_that_fulfils_a_query_is_found(text: str, words: str, shape: str) -> None:
    folded = fold_fields({"body": text})
    words_of_text = sorted(list_words(folded))
    assume(words_of_text)
    vocabulary = Vocabulary(words_of_text)

    def list_between(ranges: Collection[WordRange]) -> list[str]:
        return sorted({word for each in ranges for word in vocabulary.list_between(*each)})

    node = interpret_query(shape.format(words)).node
    if QueryMatcher(node).is_fulfilled({"body": text}):
        assert does_hold(make_index_query(node, list_between).node, folded.get("body", ""))
