"""What the store keeps of a text to find similar ones among millions without reading them.

signature   128 MinHash values of the shingles, 4 bytes each: estimate the Jaccard of two texts to about 0.04
bands       42 LSH keys of three values each: similar texts have one in common (0.98 of those at Jaccard 0.45, one in
            three thousand of those at 0.02)
event_keys  hashes of names, places, numbers and concepts: reports of one event have some in common
passages    keys of the sentences, which find boilerplate

A run makes the fingerprint of every new text (`preparation`). The store keeps it packed until the article is clustered.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

SIGNATURE_VALUES = 128
ROWS_PER_BAND = 3
BAND_COUNT = SIGNATURE_VALUES // ROWS_PER_BAND
MAX_EVENT_KEYS = 24
"""Keys of an article, those with the greatest weights."""
MIN_CANDIDATE_JACCARD, MIN_CANDIDATE_CONTAINMENT = 0.15, 0.4
"""Estimates from which two texts are compared. They are low, because the comparison itself is exact."""
MAX_DAYS_APART = 3
"""Most days between two reports of one event."""
FINGERPRINT_FORMAT = 1
"""Number in packed fingerprints. Increase it when other features are hashed: older fingerprints are then made again."""
PACKED_SIGNATURE = struct.Struct(f"<{SIGNATURE_VALUES}I")
"""128 values of 32 bits as bytes."""
BYTES_PER_VALUE = PACKED_SIGNATURE.size // SIGNATURE_VALUES
_HEADER = struct.Struct(f"<BIIII{PACKED_SIGNATURE.size}s")
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
