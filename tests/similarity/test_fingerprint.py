"""Test that fingerprints estimate similarity and never change."""

from __future__ import annotations

import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.edited_texts import drop_sentences, make_release

from crawler.similarity.documents import make_document
from crawler.similarity.fingerprint import estimate_jaccard
from crawler.similarity.preparation import make_fingerprint
from crawler.similarity.shingles import segment_text


def test_signatures_estimate_the_jaccard() -> None:
    rng = random.Random(3)
    for share in (0.1, 0.3, 0.5):
        text = make_release(rng, 30)
        a, b = make_document(text), make_document(drop_sentences(share)(text, rng))
        assert (
            abs(
                estimate_jaccard(make_fingerprint(a).signature, make_fingerprint(b).signature)
                - len(a.text.shingles & b.text.shingles) / len(a.text.shingles | b.text.shingles)
            )
            < 0.15
        )
        assert set(make_fingerprint(a).bands) & set(make_fingerprint(b).bands)
    assert not set(make_fingerprint(make_document(make_release(rng, 9))).bands) & set(
        make_fingerprint(make_document(make_release(rng, 9))).bands
    )
    assert make_fingerprint(make_document("")).bands == ()


VALUE = st.sampled_from([0, 1, 2, 2**31 - 1, 2**31, 2**31 + 1, 2**32 - 1])


@given(st.lists(st.tuples(VALUE, VALUE), min_size=128, max_size=128))
@pytest.mark.slow
def test_estimate_counts_equal_values(pairs: list[tuple[int, int]]) -> None:
    one, other = (struct.pack("<128I", *values) for values in zip(*pairs, strict=True))
    assert estimate_jaccard(one, other) == sum(a == b for a, b in pairs) / 128


def test_signature_is_the_same_with_every_version_of_the_library() -> None:
    assert make_fingerprint(make_document("Одна короткая новость о пасеке.")).signature[:8].hex() == "8d491ada1631ead8"


def test_initial_does_not_end_a_sentence() -> None:
    assert [sentence.text for sentence in segment_text("Принял Е. Ашикбаев. Конец!\nДа").sentences] == [
        "Принял Е. Ашикбаев.",
        "Конец!",
        "Да",
    ]
