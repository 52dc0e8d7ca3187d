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

from crawler.dedupe.concepts import WEIGHTS
from crawler.dedupe.judge import Document
from crawler.dedupe.shingles import Text

VALUES = 128
SEED = 1949
ROWS = 3
BANDS = VALUES // ROWS
KEYS = 24
"""Keys of an article at most, the most telling ones."""
TELLING = 0.7
_PACKED = struct.Struct(f"<{VALUES}I")
_HIGHEST = int.from_bytes(b"\0\0\0\x80" * VALUES, "little")
_OTHERS = int.from_bytes(b"\xff\xff\xff\x7f" * VALUES, "little")
"""The highest bit of each value in a signature read as one number, and all the other bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What the store keeps of an article's text; keys are integers of 32 bits, passages of 63."""

    shingles: int
    signature: bytes
    bands: tuple[int, ...]
    keys: tuple[int, ...]
    passages: tuple[int, ...]


def trace(of: Document) -> Trace:
    """The trace of a text; one without words has no bands and is like nothing."""
    values = signature(of.text)
    listed = of.text.shingles
    return Trace(
        shingles=len(listed),
        signature=_PACKED.pack(*values),
        bands=tuple(sorted(set(bands(values)))) if listed else (),
        keys=keys(of),
        passages=tuple(sorted(of.text.passages)),
    )


def signature(text: Text) -> list[int]:
    """128 values of 32 bits; the share of them that two texts have in common estimates their Jaccard."""
    hashing = RMinHash(num_perm=VALUES, seed=SEED)
    hashing.update([" ".join(shingle) for shingle in text.shingles])
    return list(hashing.digest())


def bands(values: Sequence[int]) -> list[int]:
    """The keys of the bands, signed as databases have them; equal values of another band give another key."""
    return [
        _signed(zlib.crc32(struct.pack(f"<{ROWS}I", *values[at * ROWS : (at + 1) * ROWS]), at)) for at in range(BANDS)
    ]


def alike(one: bytes, other: bytes) -> float:
    """The Jaccard that two signatures let expect.

    All values are compared at once, as one number of 4,096 bits: in a store of a million an article meets hundreds of
    strangers that share a formula with it. Where two values differ, adding carries into their highest bit.
    """
    apart = int.from_bytes(one, "little") ^ int.from_bytes(other, "little")
    differing = ((apart & _OTHERS) + _OTHERS | apart) & _HIGHEST
    return 1 - differing.bit_count() / VALUES


def worth_reading(one: bytes, other: bytes, shingles: tuple[int, int]) -> bool:
    """Whether two texts may be one, as far as their signatures and sizes say; generous, for the judge is exact."""
    expected = alike(one, other)
    shared = expected * sum(shingles) / (1 + expected)
    return expected >= 0.15 or shared >= 0.4 * max(1, min(shingles))


def keys(of: Document) -> tuple[int, ...]:
    """Hashes of the names, numbers and concepts by which reports of one event find each other."""
    features = of.features
    weighed = [(name.shared_weight, form) for name in features.names.values() if name.sure for form in name.forms]
    weighed += [(2.0 if value >= 100 else 1.0, f"={value:g}") for value in features.numbers if value >= 10]
    weighed += [(WEIGHTS[idea], f"#{idea}") for idea in features.concepts]
    telling = sorted((item for item in weighed if item[0] >= TELLING), key=lambda item: (-item[0], item[1]))
    return _hashed(dict.fromkeys(form for _, form in telling[:KEYS]))


def _hashed(forms: Iterable[str]) -> tuple[int, ...]:
    return tuple(sorted({_signed(zlib.crc32(form.encode())) for form in forms}))


def _signed(value: int) -> int:
    return value - (1 << 32) if value >= 1 << 31 else value
