"""What the store keeps of a text to find similar ones among millions without reading them.

signature   128 MinHash values of the shingles, 4 bytes each: estimate the Jaccard of two texts to about 0.04
bands       42 LSH keys of three values each: similar texts have one in common (0.98 of those at Jaccard 0.45, one in
            three thousand of those at 0.02)
event_keys  hashes of names, places, numbers and concepts: reports of one event have some in common
passages    keys of the sentences, which find boilerplate

A run makes the fingerprint of every new text. The store keeps it packed until the article is clustered.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import NamedTuple

from rensa import RMinHash

from crawler.items import Article
from crawler.similarity.concepts import get_concept_weight
from crawler.similarity.documents import Document, make_article_document
from crawler.similarity.places import get_place_weight
from crawler.similarity.shingles import SegmentedText

SIGNATURE_VALUES = 128
MINHASH_SEED = 1949
ROWS_PER_BAND = 3
BAND_COUNT = SIGNATURE_VALUES // ROWS_PER_BAND
MAX_EVENT_KEYS = 24
"""Keys of an article, those with the greatest weights."""
MIN_KEY_WEIGHT = 0.7
MIN_CANDIDATE_JACCARD, MIN_CANDIDATE_CONTAINMENT = 0.15, 0.4
"""Estimates from which two texts are compared. They are low, because the comparison itself is exact."""
FINGERPRINT_FORMAT = 1
"""Number in packed fingerprints. Increase it when other features are hashed: older fingerprints are then made again."""
_PACKED = struct.Struct(f"<{SIGNATURE_VALUES}I")
_HEADER = struct.Struct(f"<BIIII{_PACKED.size}s")
_HIGHEST_BITS = int.from_bytes(b"\0\0\0\x80" * SIGNATURE_VALUES, "little")
_LOWER_BITS = int.from_bytes(b"\xff\xff\xff\x7f" * SIGNATURE_VALUES, "little")
"""The highest bit of each value in a signature read as one number, and all the other bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What the store keeps of a text. Bands and event keys are integers of 32 bits, passages of 63."""

    shingle_count: int
    signature: bytes
    bands: tuple[int, ...]
    event_keys: tuple[int, ...]
    passages: tuple[int, ...]


class PreparedArticle(NamedTuple):
    """An article's text prepared for comparison, and its fingerprint."""

    document: Document
    fingerprint: Fingerprint


def prepare_article(article: Article, zone: tzinfo) -> PreparedArticle:
    """Return what clustering needs of an article. Its day is the one in `zone`."""
    document = make_article_document(article, zone)
    return PreparedArticle(document, make_fingerprint(document))


def pack_fingerprint(fingerprint: Fingerprint) -> bytes:
    """Return a fingerprint as bytes, about a kilobyte."""
    bands, keys, passages = fingerprint.bands, fingerprint.event_keys, fingerprint.passages
    counts = (len(bands), len(keys), len(passages))
    header = _HEADER.pack(FINGERPRINT_FORMAT, fingerprint.shingle_count, *counts, fingerprint.signature)
    return header + struct.pack(f"<{len(bands) + len(keys)}i{len(passages)}q", *bands, *keys, *passages)


def unpack_fingerprint(data: bytes) -> Fingerprint | None:
    """Return the fingerprint that `pack_fingerprint` made, or None for one in another format."""
    if data[0] != FINGERPRINT_FORMAT:
        return None
    _, shingle_count, band_count, key_count, passage_count, signature = _HEADER.unpack_from(data)
    values = struct.unpack_from(f"<{band_count + key_count}i{passage_count}q", data, _HEADER.size)
    return Fingerprint(
        shingle_count=shingle_count,
        signature=signature,
        bands=values[:band_count],
        event_keys=values[band_count : band_count + key_count],
        passages=values[band_count + key_count :],
    )


def make_fingerprint(document: Document) -> Fingerprint:
    """Return the fingerprint of a text. A text without words has no bands, so it is similar to none."""
    values = make_signature(document.text)
    shingles = document.text.shingles
    return Fingerprint(
        shingle_count=len(shingles),
        signature=_PACKED.pack(*values),
        bands=tuple(sorted(set(make_bands(values)))) if shingles else (),
        event_keys=make_event_keys(document),
        passages=tuple(sorted(document.text.passages)),
    )


def make_signature(text: SegmentedText) -> list[int]:
    """Return 128 values of 32 bits. The share of equal values of two texts estimates their Jaccard."""
    minhash = RMinHash(num_perm=SIGNATURE_VALUES, seed=MINHASH_SEED)
    minhash.update(list(text.shingles))
    return list(minhash.digest())


def make_bands(values: Sequence[int]) -> list[int]:
    """Return the keys of the bands. Equal values in another band give another key."""
    bands = (values[band * ROWS_PER_BAND : (band + 1) * ROWS_PER_BAND] for band in range(BAND_COUNT))
    return [_hash_signed(struct.pack(f"<{ROWS_PER_BAND}I", *rows), band) for band, rows in enumerate(bands)]


def estimate_jaccard(one: bytes, other: bytes) -> float:
    """Return the Jaccard that two signatures let expect.

    All values are compared at once, as one number of 4,096 bits: in a store of a million, an article meets hundreds of
    unrelated ones that share a formula with it. Where two values differ, the addition carries into their highest bit.
    """
    difference = int.from_bytes(one, "little") ^ int.from_bytes(other, "little")
    differing = ((difference & _LOWER_BITS) + _LOWER_BITS | difference) & _HIGHEST_BITS
    return 1 - differing.bit_count() / SIGNATURE_VALUES


def is_candidate(one: bytes, other: bytes, shingle_counts: tuple[int, int]) -> bool:
    """Return whether two texts may be one, by their signatures and sizes."""
    jaccard = estimate_jaccard(one, other)
    shared = jaccard * sum(shingle_counts) / (1 + jaccard)
    return jaccard >= MIN_CANDIDATE_JACCARD or shared >= MIN_CANDIDATE_CONTAINMENT * max(1, min(shingle_counts))


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
