"""Shared values: frozen, complete in every output, and unchanged when read back."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import FrozenInstanceError, fields, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itemadapter import ItemAdapter

from crawler.items import (
    Article,
    Image,
    Match,
    Precision,
    Problem,
    Rights,
    Run,
    SnapshotRef,
    Strength,
    Verdict,
    format_time,
)

INTERNAL = {"requested_language", "text_removed_at"}
MINIMAL = Article(id="mfa:1:ru", source="mfa", url="https://example.org/1", body="Мост открыт.")
WORDS = st.text(min_size=1, max_size=12)
MAYBE = st.none() | WORDS
OFFSETS = st.integers(-12, 14).map(lambda hours: timezone(timedelta(hours=hours)))
MOMENTS = st.datetimes(datetime(1991, 1, 1), datetime(2090, 1, 1), timezones=OFFSETS).map(  # noqa: DTZ001 - bounds
    lambda at: at.replace(microsecond=0)
)
IMAGES = st.lists(st.builds(Image, url=MAYBE, caption=MAYBE), max_size=3).map(tuple)
MATCH = st.builds(
    Match,
    **dict.fromkeys(("rule", "term", "surface", "field", "sentence"), WORDS),
    start=st.integers(0, 99),
    end=st.integers(0, 99),
    strength=st.sampled_from(Strength),
    reason=MAYBE,
)
ARTICLES = st.builds(
    Article,
    id=st.tuples(WORDS, WORDS, WORDS).map(":".join),
    source=WORDS,
    url=WORDS,
    body=st.text(),
    **dict.fromkeys("title lead language published_raw section place author attribution copy_of".split(), MAYBE),
    published_at=st.none() | MOMENTS,
    fetched_at=st.none() | MOMENTS,
    published_precision=st.none() | st.sampled_from(Precision),
    images=IMAGES,
    matches=st.lists(MATCH, max_size=2).map(tuple),
    reading_minutes=st.none() | st.integers(1, 60),
    rights=st.none()
    | st.builds(Rights, excerpt_share=st.floats(0, 1), link_required=st.booleans(), wording=MAYBE, source=MAYBE),
    verdict=st.none() | st.sampled_from(Verdict),
    version=st.none() | st.integers(1, 9),
    snapshot=st.none() | st.builds(SnapshotRef, file=MAYBE, offset=st.none() | st.integers(0), digest=WORDS),
    provenance=st.dictionaries(WORDS, WORDS, max_size=3),
)


@given(ARTICLES)
def test_article_survives_a_round_trip(article: Article) -> None:
    assert Article.from_dict(article.to_dict()) == article
    assert Article.from_dict(json.loads(json.dumps(article.to_dict()))) == article


def test_internal_fields_are_read_from_the_store_and_are_in_no_output() -> None:
    at = datetime(2026, 3, 6, tzinfo=UTC)
    article = replace(MINIMAL, requested_language="kk", text_removed_at=at)
    assert INTERNAL.isdisjoint(article.to_dict())
    stored = {**article.to_dict(), "requested_language": "kk", "text_removed_at": at.isoformat()}
    assert Article.from_dict(stored) == article


@given(ARTICLES)
def test_dict_has_every_field_in_order_as_plain_json(article: Article) -> None:
    values = article.to_dict()
    assert list(values) == [field.name for field in fields(Article) if field.name not in INTERNAL]
    assert json.loads(json.dumps(values)).keys() == values.keys()
    for name in ("published_at", "fetched_at"):
        assert values[name] is None or isinstance(values[name], str)


@given(ARTICLES)
def test_item_adapter_knows_every_field(article: Article) -> None:
    adapter = ItemAdapter(article)
    assert list(adapter.field_names()) == [field.name for field in fields(Article)]
    assert all(adapter[name] == getattr(article, name) for name in adapter)


def test_unknown_is_null_and_an_unknown_list_is_empty() -> None:
    values = json.loads(json.dumps(MINIMAL.to_dict()))
    assert (values["images"], values["matches"], values["provenance"], values["flags"]) == ([], [], {}, [])
    unknown = {name for name, value in values.items() if value is None}
    assert unknown == set(values) - {"id", "source", "url", "body", "images", "matches", "provenance", "flags"}
    assert "" not in values.values()


@pytest.mark.parametrize("name", [field.name for field in fields(Article)])
def test_article_is_frozen(name: str) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(MINIMAL, name, None)


@pytest.mark.parametrize("kind", [Article, Image, Match, Rights, SnapshotRef, Problem, Run])
def test_values_are_frozen_and_have_slots(kind: type) -> None:
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert "__dict__" not in dir(kind)


def test_article_needs_its_required_fields() -> None:
    with pytest.raises(TypeError, match="body"):
        Article(id="a:1:ru", source="a", url="x")  # type: ignore[call-arg]


def test_unknown_keys_are_skipped() -> None:
    assert Article.from_dict({**MINIMAL.to_dict(), "later": 1}) == MINIMAL


@pytest.mark.parametrize(
    ("id", "native"), [("mfa:1:ru", "1"), ("mfa:kt-1377987073:ru", "kt-1377987073"), ("a:b:c:und", "b:c")]
)
def test_native_id(id: str, native: str) -> None:
    assert replace(MINIMAL, id=id).native_id == native


def test_only_a_strong_match_counts() -> None:
    weak = Match(rule="r", term="t", surface="t", field="body", start=0, end=1, sentence="s", strength=Strength.WEAK)
    strong = replace(weak, strength=Strength.STRONG)
    assert not MINIMAL.is_matched
    assert not replace(MINIMAL, matches=(weak,)).is_matched
    assert replace(MINIMAL, matches=(weak, strong)).is_matched


@pytest.mark.parametrize(
    ("body", "headline"),
    [
        ("Мост открыт.", "‹Мост открыт.›"),
        ("Мост открыт.\nОн длинный.", "‹Мост открыт.›"),
        ("Мост " * 24 + "x", f"‹{('Мост ' * 23).strip()}…›"),
        ("м" * 200, f"‹{'м' * 119}…›"),
    ],
)
def test_headline_without_a_title_is_marked_as_derived(body: str, headline: str) -> None:
    assert replace(MINIMAL, body=body).headline == headline
    assert len(headline) <= 122
    assert replace(MINIMAL, body=body, title="Мост").headline == "Мост"


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (None, None),
        (datetime(2026, 1, 2, 3, 4, 5, 999_999, tzinfo=UTC), "2026-01-02T03:04:05+00:00"),
        (datetime(2023, 2, 8, 10, 28, tzinfo=timezone(timedelta(hours=6))), "2023-02-08T10:28:00+06:00"),
    ],
)
def test_times_have_offset_and_whole_seconds(moment: datetime | None, text: str | None) -> None:
    assert format_time(moment) == text


def test_run_is_plain_json_with_every_field() -> None:
    run = Run(
        source="mfa",
        started_at=datetime(2026, 1, 2, tzinfo=UTC),
        problems=(Problem(kind="x", message="y", exit_code=1),),
    )
    values = json.loads(json.dumps(run.to_dict()))
    assert list(values) == [field.name for field in dataclasses.fields(Run)]
    assert (values["started_at"], values["finished_at"]) == ("2026-01-02T00:00:00+00:00", None)


def test_headline_is_bounded() -> None:
    article = Article(id="mfa:1:ru", source="mfa", url="https://example.org/1", title="word " * 200, body="x")
    assert len(article.headline) <= 300
    assert article.headline.endswith("word…")
    assert len(replace(article, title="x" * 1000).headline) == 300
    assert len(replace(article, title=None, body="word " * 200).headline) <= 122
