"""What the store keeps of an article to find its likes among millions without reading them.

signature   128 MinHash values of the shingles, 4 bytes each: how alike two texts are, to about 0.04
bands       42 keys of three values each: alike texts have one in common (0.98 of those at Jaccard 0.45, one in
            three thousand of those at 0.02)
keys        names, numbers and concepts that say something: reports of one event have one in common
passages    the sentences, to know those that stand everywhere
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rensa import RMinHash

from crawler.similarity.comparison import Document
from crawler.similarity.concepts import CONCEPT_WEIGHTS
from crawler.similarity.shingles import SegmentedText

SIGNATURE_VALUES = 128
MINHASH_SEED = 1949
ROWS_PER_BAND = 3
BAND_COUNT = SIGNATURE_VALUES // ROWS_PER_BAND
MAX_EVENT_KEYS = 24
"""Keys of an article at most, the most telling ones."""
MIN_KEY_WEIGHT = 0.7
_PACKED = struct.Struct(f"<{SIGNATURE_VALUES}I")
_HIGHEST_BITS = int.from_bytes(b"\0\0\0\x80" * SIGNATURE_VALUES, "little")
_LOWER_BITS = int.from_bytes(b"\xff\xff\xff\x7f" * SIGNATURE_VALUES, "little")
"""The highest bit of each value in a signature read as one number, and all the other bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What the store keeps of an article's text; keys are integers of 32 bits, passages of 63."""

    shingle_count: int
    signature: bytes
    bands: tuple[int, ...]
    event_keys: tuple[int, ...]
    passages: tuple[int, ...]


def make_fingerprint(document: Document) -> Fingerprint:
    """The trace of a text; one without words has no bands and is like nothing."""
    values = make_signature(document.text)
    listed = document.text.shingles
    return Fingerprint(
        shingle_count=len(listed),
        signature=_PACKED.pack(*values),
        bands=tuple(sorted(set(make_bands(values)))) if listed else (),
        event_keys=make_event_keys(document),
        passages=tuple(sorted(document.text.passages)),
    )


def make_signature(text: SegmentedText) -> list[int]:
    """128 values of 32 bits; the share of them that two texts have in common estimates their Jaccard."""
    hashing = RMinHash(num_perm=SIGNATURE_VALUES, seed=MINHASH_SEED)
    hashing.update([" ".join(shingle) for shingle in text.shingles])
    return list(hashing.digest())


def make_bands(values: Sequence[int]) -> list[int]:
    """The keys of the bands, signed as databases have them; equal values of another band give another key."""
    return [
        _to_signed(
            zlib.crc32(struct.pack(f"<{ROWS_PER_BAND}I", *values[at * ROWS_PER_BAND : (at + 1) * ROWS_PER_BAND]), at)
        )
        for at in range(BAND_COUNT)
    ]


def estimate_jaccard(one: bytes, other: bytes) -> float:
    """The Jaccard that two signatures let expect.

    All values are compared at once, as one number of 4,096 bits: in a store of a million an article meets hundreds of
    strangers that share a formula with it. Where two values differ, adding carries into their highest bit.
    """
    apart = int.from_bytes(one, "little") ^ int.from_bytes(other, "little")
    differing = ((apart & _LOWER_BITS) + _LOWER_BITS | apart) & _HIGHEST_BITS
    return 1 - differing.bit_count() / SIGNATURE_VALUES


def is_candidate(one: bytes, other: bytes, shingles: tuple[int, int]) -> bool:
    """Whether two texts may be one, as far as their signatures and sizes say; generous, for the judge is exact."""
    expected = estimate_jaccard(one, other)
    shared = expected * sum(shingles) / (1 + expected)
    return expected >= 0.15 or shared >= 0.4 * max(1, min(shingles))


def make_event_keys(document: Document) -> tuple[int, ...]:
    """Hashes of the names, numbers and concepts by which reports of one event find each other."""
    features = document.features
    weighed = [(name.shared_weight, form) for name in features.names.values() if name.is_certain for form in name.forms]
    weighed += [(2.0 if value >= 100 else 1.0, f"={value:g}") for value in features.numbers if value >= 10]
    weighed += [(CONCEPT_WEIGHTS[idea], f"#{idea}") for idea in features.concepts]
    telling = sorted((item for item in weighed if item[0] >= MIN_KEY_WEIGHT), key=lambda item: (-item[0], item[1]))
    return _hash_forms(dict.fromkeys(form for _, form in telling[:MAX_EVENT_KEYS]))


def _hash_forms(forms: Iterable[str]) -> tuple[int, ...]:
    return tuple(sorted({_to_signed(zlib.crc32(form.encode())) for form in forms}))


def _to_signed(value: int) -> int:
    return value - (1 << 32) if value >= 1 << 31 else value
