"""Labelled pairs of invented texts (`similarity/event_texts.toml`), with a third of the groups held out from tuning."""

from __future__ import annotations

import tomllib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from pathlib import Path

from crawler.similarity.comparison import SimilarityType

EVENT_TEXTS = Path(__file__).parents[1] / "similarity" / "event_texts.toml"


@dataclass(frozen=True)
class LabelledText:
    """A text with its event; `day` is when it was published."""

    event: str
    is_edit: bool
    language: str
    day: date
    text: str


@dataclass(frozen=True)
class LabelledPair:
    """Two texts of one group with the right result of their comparison."""

    group: str
    a: LabelledText
    b: LabelledText

    @property
    def label(self) -> SimilarityType:
        if self.a.event != self.b.event:
            return SimilarityType.DIFFERENT
        is_one_text = self.a.is_edit != self.b.is_edit and self.a.language == self.b.language
        return SimilarityType.NEAR_DUPLICATE if is_one_text else SimilarityType.SAME_STORY

    @property
    def is_translation(self) -> bool:
        return self.a.language != self.b.language

    @property
    def is_held_out(self) -> bool:
        return zlib.crc32(self.group.encode()) % 3 == 0


def list_event_pairs(path: Path = EVENT_TEXTS) -> Iterator[LabelledPair]:
    """Yield every pair of texts of the same group."""
    for group, table in tomllib.loads(path.read_text(encoding="utf-8")).items():
        texts = [
            LabelledText(event.removesuffix(" edit"), event.endswith(" edit"), language, date(2031, 3, day), text)
            for event, language, day, text in table["texts"]
        ]
        yield from (LabelledPair(group, a, b) for a, b in combinations(texts, 2))
