"""The JSON text of a stored version."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st
from support.factories import make_article

from crawler.items import ARTICLE_FIELDS, Article, Image, Match, Rights, SnapshotRef
from crawler.store.serialization import parse_article, serialize_article

ANY_TEXT = st.text(st.characters(exclude_categories=()))
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(body=ANY_TEXT, title=st.none() | ANY_TEXT, at=st.datetimes(timezones=OFFSETS))
def test_any_text_and_time_are_parsed_exactly(body: str, title: str | None, at: datetime) -> None:
    article = Article(id="mfa:1:ru", source="mfa", url="https://x", body=body, title=title, published_at=at)
    line = serialize_article(article)
    assert "\n" not in line
    assert "\0" not in line
    assert line.encode()
    assert parse_article(line) == article
    assert parse_article(line).published_at.utcoffset() == at.utcoffset()


def test_json_has_the_fields_of_outputs() -> None:
    article = make_article(
        images=(Image(url=None, caption="c"),),
        rights=Rights(excerpt_share=0.3, link_required=True, wording=None, source=None),
        matches=(Match(rule="r", term="t", surface="t", field="body", start=0, end=1, sentence="s"),),
        snapshot=SnapshotRef(file=None, offset=None, digest="sha256:00"),
        published_at=datetime(2026, 3, 6, 16, 5, tzinfo=timezone(timedelta(hours=5))),
        provenance={"body": "ArticlePage: p"},
    )
    stored = json.loads(serialize_article(article))
    assert {name: stored[name] for name in ARTICLE_FIELDS} == json.loads(json.dumps(article.to_dict()))
    assert stored.keys() - set(ARTICLE_FIELDS) == {"requested_language", "text_removed_at"}
