"""Entries made by hand: revised, taken down, untitled, with copies, with forbidden characters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from crawler.items import Precision, Strength, Verdict
from crawler.publish.entries import Entry, EntryMatch, RelatedArticle
from crawler.publish.feeds.feed import FeedHead
from crawler.rights import Credit, Excerpt, Piece

ALMATY = timezone(timedelta(hours=5))
NOON = datetime(2026, 3, 6, 12, 0, tzinfo=ALMATY)
CREDIT = Credit(share=0.3, link_required=True, reference=None, attribution=None)
HEAD = FeedHead(
    id="urn:uuid:00000000-0000-4000-8000-000000000001",
    title="News & «views»",
    home="https://example.org/?a=1&b=2",
    address="https://example.org/feeds/all.xml",
    language="en",
    labels={"red-cross": "Red Cross & Red Crescent"},
    made_at=datetime(2026, 3, 7, tzinfo=UTC),
)


def make_entry(name: str = "1", **values: object) -> Entry:
    """Return a plain entry with these values."""
    given = {
        "id": f"qazmonitor:{name}:en",
        "source": "qazmonitor",
        "source_title": "The Qazaqstan Monitor",
        "url": f"https://qazmonitor.com/news/{name}/x?a=1&b=2",
        "language": "en",
        "headline": 'ICRC opens an "office" in Astana, <b>at last</b>',
        "is_derived": False,
        "lead": None,
        "excerpt": Excerpt(
            pieces=(
                Piece(text="The ICRC <came> & stayed.", marks=((4, 8),), before=True, after=True),
                Piece(text="First line.\nSecond line", after=True),
            )
        ),
        "credit": CREDIT,
        "published_at": NOON,
        "precision": Precision.MINUTE,
        "seen_at": NOON + timedelta(hours=1),
        "changed_at": None,
        "section": "News",
        "place": "Astana",
        "author": None,
        "verdict": Verdict.NEW,
        "version": 1,
        "rules": ("red-cross",),
        "matches": (EntryMatch(rule="red-cross", term="ICRC", surface="ICRC", field="body", strength=Strength.STRONG),),
        "story": None,
    }
    return Entry(**{**given, **values})  # type: ignore[arg-type]


OTHERS = (
    RelatedArticle(
        id="mfa:7:ru",
        source="mfa",
        source_title="Ministry of Foreign Affairs",
        url="https://www.gov.kz/7?lang=ru",
        language="ru",
        headline="МККК открыл «бюро»",
        published_at=NOON,
        is_copy=False,
    ),
    RelatedArticle(
        id="ktkz:8:kk",
        source="ktkz",
        source_title="Kazakhstan Today",
        url="https://www.kt.kz/8.html",
        language=None,
        headline="=ХҚКК & <кеңсе>",
        published_at=None,
        is_copy=True,
    ),
)
ENTRIES = (
    make_entry("1", story=3, anchor="mfa:7:ru", others=OTHERS, author="A. Serik"),
    make_entry("2", headline="Revised", verdict=Verdict.REVISED, version=2, changed_at=NOON + timedelta(days=1)),
    make_entry(
        "3",
        language="ru",
        headline="Снятый текст\x00\x0b\ufffe",
        verdict=Verdict.UNPUBLISHED,
        version=3,
        changed_at=NOON + timedelta(days=2),
        lead="О Красном Кресте и МККК.\x1b",
        rules=("red-cross", "ihl"),
        matches=(
            EntryMatch(
                rule="red-cross",
                term="Красном Кресте",
                surface="Красном Кресте",
                field="lead",
                strength=Strength.STRONG,
            ),
        ),
        credit=Credit(share=0.3, link_required=True, reference="Kazakhstan Today", attribution="МИД РК"),
        excerpt=Excerpt(pieces=(Piece(text="Весь\x08 текст."),), whole=True),
    ),
    make_entry(
        "4",
        language="kk",
        headline="Тақырыпсыз мәтін…",
        is_derived=True,
        published_at=None,
        precision=None,
        excerpt=Excerpt(),
        matches=(),
        rules=(),
    ),
    make_entry("5", language=None, headline="No language, no time", published_at=None, seen_at=None, matches=()),
)
