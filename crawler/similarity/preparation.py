"""Make the fingerprint of a text, from its words and from what it says of its event."""

from __future__ import annotations

import zlib
from datetime import tzinfo
from typing import NamedTuple

from rensa import RMinHash

from crawler.items import Article
from crawler.similarity.concepts import get_concept_weight
from crawler.similarity.documents import Document, make_article_document
from crawler.similarity.fingerprint import (
    BAND_COUNT,
    BYTES_PER_VALUE,
    MAX_EVENT_KEYS,
    PACKED_SIGNATURE,
    ROWS_PER_BAND,
    SIGNATURE_VALUES,
    Fingerprint,
)
from crawler.similarity.places import get_place_weight
from crawler.similarity.shingles import SegmentedText

MINHASH_SEED = 1949
MIN_KEY_WEIGHT = 0.7


class PreparedArticle(NamedTuple):
    """An article's text prepared for comparison, and its fingerprint."""

    document: Document
    fingerprint: Fingerprint


def prepare_article(article: Article, zone: tzinfo) -> PreparedArticle:
    """Return what clustering needs of an article. Its day is the one in `zone`."""
    document = make_article_document(article, zone)
    return PreparedArticle(document, make_fingerprint(document))


def make_fingerprint(document: Document) -> Fingerprint:
    """Return the fingerprint of a text. A text without words has no bands, so it is similar to none."""
    shingles = document.text.shingles
    signature = PACKED_SIGNATURE.pack(*make_signature(document.text))
    return Fingerprint(
        shingle_count=len(shingles),
        signature=signature,
        bands=tuple(sorted(set(make_bands(signature)))) if shingles else (),
        event_keys=make_event_keys(document),
        passages=tuple(sorted(document.text.passages)),
    )


def make_signature(text: SegmentedText) -> list[int]:
    """Return 128 values of 32 bits. The share of equal values of two texts estimates their Jaccard."""
    minhash = RMinHash(num_perm=SIGNATURE_VALUES, seed=MINHASH_SEED)
    minhash.update(list(text.shingles))
    return list(minhash.digest())


def make_bands(signature: bytes) -> list[int]:
    """Return the keys of a signature's bands. Equal values in another band give another key."""
    size = ROWS_PER_BAND * BYTES_PER_VALUE
    return [_hash_signed(signature[band * size : (band + 1) * size], band) for band in range(BAND_COUNT)]


def make_event_keys(document: Document) -> tuple[int, ...]:
    """Return hashes of the names, places, numbers and concepts by which reports of one event find each other."""
    features = document.features
    weighted = [
        (name.shared_weight, form) for name in features.names.values() if name.is_certain for form in name.forms
    ]
    weighted += [(2.0 if value >= 100 else 1.0, f"={value:g}") for value in features.numbers if value >= 10]
    weighted += [(get_place_weight(place), f"@{place}") for place in features.places]
    weighted += [(get_concept_weight(concept), f"#{concept}") for concept in features.concepts]
    strongest = sorted((item for item in weighted if item[0] >= MIN_KEY_WEIGHT), key=lambda item: (-item[0], item[1]))
    forms = [form for _, form in strongest[:MAX_EVENT_KEYS]]
    return tuple(sorted({_hash_signed(form.encode()) for form in forms}))


def _hash_signed(data: bytes, start: int = 0) -> int:
    """Return a CRC of 32 bits as a signed number, because databases store signed ones."""
    value = zlib.crc32(data, start)
    return value - (1 << 32) if value >= 1 << 31 else value
