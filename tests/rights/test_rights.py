"""The allocation of excerpts: never more than the share, whatever the pieces; the match first; cut at words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.factories import make_article

from crawler.config import Config
from crawler.errors import ConfigError
from crawler.items import Article, Match, Rights, Strength
from crawler.publish.builder import make_rights_registry
from crawler.rights import AllowedText, Excerpt, ExcerptDemand, Fragment, RightsRegistry, allocate_excerpts

SENTENCES = st.lists(
    st.lists(st.text("абвгдежзийклмн", min_size=1, max_size=12), min_size=1, max_size=25).map(
        lambda words: " ".join(words).capitalize() + "."
    ),
    min_size=1,
    max_size=25,
)


def make_article_of(body: str, source: str = "qazmonitor", **values: object) -> Article:
    return make_article(source=source, **{"body": body, "title": "Заголовок", **values})


def make_match(body: str, word: str, strength: Strength = Strength.STRONG, after: int = 0) -> Match:
    at = body.index(word, after)
    found = {"rule": "red_cross", "term": word, "surface": word, "field": "body", "sentence": ""}
    return Match(**found, start=at, end=at + len(word), strength=strength)


def count_shown(excerpt: Excerpt) -> int:
    return sum(len(piece.text) for piece in excerpt.pieces)


@cache
def make_registry(**settings: float | str | None) -> RightsRegistry:
    """Return the registry with these settings of QazMonitor."""
    return make_rights_registry(Config.model_validate({"sources": {"qazmonitor": settings}} if settings else {}))


def make_demand(item: Article, **values: Any) -> ExcerptDemand:
    """Return the demand of the article with its own matches."""
    return ExcerptDemand(**{"article": item, "matches": item.matches, **values})


def allocate_one(item: Article, registry: RightsRegistry | None = None, **values: Any) -> AllowedText:
    (allowed,) = allocate_excerpts([make_demand(item, **values)], registry or make_registry())
    return allowed


@st.composite
def draw_articles(draw: st.DrawFn) -> Article:
    number = count()
    drawn = draw(st.sampled_from(["\n", " "])).join(draw(SENTENCES))
    body = re.sub(r"\w+", lambda word: f"{word[0]}{next(number)}", drawn)  # each word once: positions are unambiguous
    places = [(found.start(), found.end()) for found in re.finditer(r"\w+", body)]
    chosen = draw(st.lists(st.sampled_from(places), max_size=6))
    matches = tuple(
        Match(
            rule="r",
            term="t",
            surface=body[start:end],
            field="body",
            start=start,
            end=end,
            sentence="",
            strength=draw(st.sampled_from(Strength)),
        )
        for start, end in chosen
    )
    return make_article_of(body, matches=matches, title=draw(st.sampled_from(["Заголовок", None])))


def draw_demand(item: Article, data: st.DataObject) -> ExcerptDemand:
    sentences = re.findall(r"[^.]+\.", item.body)
    chosen = data.draw(st.lists(st.sampled_from(sentences), max_size=3))
    return make_demand(
        item,
        max_length=data.draw(st.one_of(st.none(), st.integers(0, 200))),
        with_opening=data.draw(st.booleans()),
        fragments=tuple(
            Fragment(article=item, text=sentence, core=draw_core(sentence, data), group=number // 2)
            for number, sentence in enumerate(chosen)
        ),
        headline_only=data.draw(st.booleans()),
    )


def draw_core(sentence: str, data: st.DataObject) -> tuple[int, int]:
    start = data.draw(st.integers(0, len(sentence)))
    return start, data.draw(st.integers(start, len(sentence)))


def list_shown_texts(item: Article, allowed: AllowedText) -> list[str]:
    headline = allowed.headline.rstrip("…") if allowed.is_headline_derived else ""
    fragments = [(text or "").removeprefix("… ").rstrip("…") for text in allowed.fragments]
    words = [match.surface for match in allowed.named_matches]
    return [text for text in (headline, *fragments, *words, *(p.text for p in allowed.excerpt.pieces)) if text]


def find_all(text: str, body: str) -> Iterator[int]:
    return (at for at in range(len(body)) if body.startswith(text, at))


def is_cut_at_words(piece: Fragment, body: str, at: int) -> bool:
    end = at + len(piece.text)
    begins_word = at == 0 or body[at - 1].isspace()
    ends_word = end == len(body) or body[end].isspace()
    return begins_word and ends_word and piece.after == bool(body[end:].strip())


@given(draw_articles(), st.integers(1, 5), st.data())
def test_all_pieces_together_stay_within_the_share(item: Article, number: int, data: st.DataObject) -> None:
    demands = [draw_demand(item, data) for _ in range(number)]
    seen = set[int]()
    for wanted, allowed in zip(demands, allocate_excerpts(demands, make_registry()), strict=True):
        pieces = sum(len(piece.text) for piece in allowed.excerpt.pieces)
        # joined pieces include the space between them
        assert wanted.max_length is None or pieces <= wanted.max_length + 5
        for text in list_shown_texts(item, allowed):
            # A short piece may stand in several places: it is the one that shows the least besides.
            places = [set(range(at, at + len(text))) for at in find_all(text, item.body)]
            seen |= min(places, key=lambda place: len(place - seen))
    assert len(seen) <= 0.3 * len(item.body)


@given(draw_articles(), st.permutations(range(4)), st.data())
@pytest.mark.slow
def test_the_order_of_the_demands_does_not_matter(item: Article, order: list[int], data: st.DataObject) -> None:
    versions = [replace(item, version=number) for number in (1, 2)]
    demands = [make_demand(version, headline_only=is_link) for version in versions for is_link in (False, True)]
    other = replace(item, id="qazmonitor:2:ru")
    in_order = allocate_excerpts([*demands, make_demand(other)], make_registry())
    permuted = allocate_excerpts([make_demand(other), *(demands[index] for index in order)], make_registry())
    assert permuted == [in_order[4], *(in_order[index] for index in order)]


@given(draw_articles())
def test_what_is_cut_is_cut_at_words(item: Article) -> None:
    for piece in allocate_one(item).excerpt.pieces:
        assert any(is_cut_at_words(piece, item.body, at) for at in find_all(piece.text, item.body))


TEXT = (
    "Первое предложение говорит о погоде и ни о чём другом. "
    "Второе предложение рассказывает, что МККК открыл представительство. "
    "Третье говорит о чём-то ином, и его никто не должен видеть вовсе. " + "Остальное длинное и неважное. " * 12
)


def test_the_sentence_with_the_match_comes_first() -> None:
    first, *rest = allocate_one(make_article_of(TEXT, matches=(make_match(TEXT, "МККК"),))).excerpt.pieces
    assert "МККК" in first.text
    assert [first.text[slice(*mark)] for mark in first.marks] == ["МККК"]
    assert all("Третье" not in piece.text for piece in rest)


def test_a_strong_match_comes_before_a_weak_one() -> None:
    body = "Здесь МГП как-нибудь. " + "Много других слов без значения. " * 3 + "А здесь МККК наверняка. " + TEXT
    weak, strong = make_match(body, "МГП", Strength.WEAK), make_match(body, "МККК")
    pieces = allocate_one(make_article_of(body, matches=(weak, strong)), with_opening=False).excerpt.pieces
    assert ["МККК" in pieces[0].text, "МГП" in pieces[1].text] == [True, True]


def test_a_sentence_that_is_too_long_is_cut_around_the_match() -> None:
    body = "слово " * 60 + "МККК " + "слово " * 60
    (piece,) = allocate_one(
        make_article_of(body, matches=(make_match(body, "МККК"),)), with_opening=False
    ).excerpt.pieces
    assert "МККК" in piece.text
    assert piece.before
    assert piece.after
    assert piece.quoted.startswith("… слово")
    assert piece.quoted.endswith("слово …")
    assert 150 < len(piece.text) <= 0.3 * len(body)


def test_opening_ends_with_a_sentence_or_at_a_word() -> None:
    body = "Первое предложение о работе. " * 3 + "Глава МИД А. Иванов " + "говорит долго " * 30
    (piece,) = allocate_one(make_article_of(body)).excerpt.pieces
    assert piece.quoted == ("Первое предложение о работе. " * 3).strip() + " …"
    body = "Коротко. " + "слово " * 80
    (piece,) = allocate_one(make_article_of(body)).excerpt.pieces
    assert piece.quoted.endswith("слово …")  # else little of the share would be used


def test_a_passage_that_is_shown_twice_counts_once() -> None:
    item = make_article_of(TEXT, matches=(make_match(TEXT, "МККК"),))
    one, again = allocate_excerpts([make_demand(item, with_opening=False)] * 2, make_registry())
    assert count_shown(one.excerpt) == count_shown(again.excerpt) > 0


def test_versions_of_an_article_share_one_share() -> None:
    old, new = make_article_of(TEXT), make_article_of(TEXT.replace("погоде", "климате"), version=2)
    of_old, of_new = (
        count_shown(each.excerpt) for each in allocate_excerpts([make_demand(old), make_demand(new)], make_registry())
    )
    assert 0 < of_old + of_new <= 0.3 * len(new.body)
    assert of_new == count_shown(allocate_one(new).excerpt)  # the newer one comes first


def test_a_headline_made_from_the_body_counts() -> None:
    allowed = allocate_one(make_article_of(TEXT, title=None))
    assert allowed.is_headline_derived
    assert allowed.headline.rstrip("…") in TEXT
    (piece,) = allowed.excerpt.pieces
    assert piece.text.startswith(allowed.headline.rstrip("…"))  # shown again, counted once
    assert len(piece.text) <= 0.3 * len(TEXT)


def test_a_title_is_no_part_of_the_share() -> None:
    allowed = allocate_one(make_article_of(TEXT, title="Слово " * 40))
    assert (allowed.headline, allowed.is_headline_derived) == ("Слово " * 40, False)


def test_a_permission_opens_the_whole_text() -> None:
    permitted = make_registry(excerpt_share=1.0, permission="letter of 3 May 2026")
    excerpt = allocate_one(make_article_of(TEXT, matches=(make_match(TEXT, "МККК"),)), permitted).excerpt
    assert excerpt.whole
    assert [piece.text for piece in excerpt.pieces] == [TEXT]


def test_a_larger_share_without_a_permission_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"sources\.qazmonitor\.excerpt_share = 0\.9 .* permission"):
        make_registry(excerpt_share=0.9)


def test_an_owner_may_show_less_or_nothing_at_all() -> None:
    item = make_article_of(TEXT, matches=(make_match(TEXT, "МККК"),))
    assert allocate_one(item, make_registry(excerpt_share=0.0)).excerpt.pieces == ()


def test_the_permission_of_today_counts_not_that_of_the_day_of_the_crawl() -> None:
    permitted = make_registry(excerpt_share=1, permission="x")
    item = make_article_of(TEXT)
    item = replace(item, rights=permitted.get(item))
    assert count_shown(allocate_one(item).excerpt) <= 0.3 * len(TEXT)


def test_a_source_that_is_gone_has_thirty_per_cent() -> None:
    item = make_article_of(TEXT, source="gone", published_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert 0 < count_shown(allocate_one(item).excerpt) <= 0.3 * len(TEXT)
    assert make_registry().get_credit(item).link_required


def test_kazakhstan_today_is_named() -> None:
    assert (
        make_registry().get_credit(make_article_of(TEXT, source="ktkz", attribution="МИД РК")).reference
        == "Kazakhstan Today"
    )


def test_a_text_on_another_sources_site_names_that_source() -> None:
    there = "https://www.kt.kz/rus/press-materialy/x_-_1377987073.html"
    assert make_registry().get_credit(make_article_of(TEXT, source="mfa", url=there)).reference == "Kazakhstan Today"
    assert make_registry().get_credit(make_article_of(TEXT, source="mfa", url="https://www.gov.kz/x")).reference is None


def test_a_fragment_that_is_not_in_the_body_is_none() -> None:
    texts = ("Этого там нет.", "Первое предложение говорит о погоде и ни о чём другом.")
    item = make_article_of(TEXT)
    allowed = allocate_one(
        item, fragments=tuple(Fragment(article=item, text=text, core=(0, len(text))) for text in texts)
    )
    assert allowed.fragments == (None, texts[1])


def make_edit(old: str, new: str, old_word: str, new_word: str, group: int = 0) -> tuple[Fragment, Fragment]:
    """Return the fragments of an edit of the whole body, after and before."""
    sides = ((old, old_word, 1), (new, new_word, 2))
    before, after = (
        Fragment(
            article=make_article_of(text, version=version),
            text=text,
            core=(text.index(word), text.index(word) + len(word)),
            group=group,
        )
        for text, word, version in sides
    )
    return after, before


def test_both_sides_of_an_edit_are_shown_of_a_short_text() -> None:
    old = "Представители двух стран вчера решительно осудили обстрел больницы в городе на берегу реки."
    new = old.replace("осудили", "отметили")
    edit = make_edit(old, new, "осудили", "отметили")
    allowed = allocate_one(edit[0].article, fragments=edit)
    after, before = allowed.fragments
    assert after is not None
    assert before is not None
    assert "отметили" in after
    assert "осудили" in before
    assert len(after.strip("… ")) + len(before.strip("… ")) <= 0.3 * len(new)


def test_changed_sentences_come_before_the_quotation() -> None:
    old = f"{TEXT} Все стороны согласились на перемирие."
    new = f"{TEXT} Некоторые стороны согласились на перемирие."
    edit = make_edit(old, new, "Все", "Некоторые")
    item = replace(edit[0].article, matches=(make_match(new, "погоде"),))
    fragments = tuple(
        replace(each, article=item if index == 0 else each.article, text=each.text[len(TEXT) + 1 :], core=(0, 9))
        for index, each in enumerate(edit)
    )
    allowed = allocate_one(item, fragments=fragments)
    assert allowed.fragments == tuple(each.text for each in fragments)
    shown = sum(len(each.text) for each in fragments) + count_shown(allowed.excerpt)
    assert shown <= 0.3 * len(new)


@pytest.mark.parametrize("cut", ["", "…", "..."])
def test_a_lead_that_is_a_piece_of_the_body_counts_like_one(cut: str) -> None:
    body = "Здесь открыли мост. А здесь МККК сказал своё слово.\nДальше идёт остальное, и оно длиннее всего. " * 3
    whole = make_article_of(body, lead=" ".join(body.split()) + cut, matches=(make_match(body, "МККК"),))
    assert allocate_one(whole).lead is None
    short = make_article_of(body, lead=f"Здесь открыли мост{cut}", matches=(make_match(body, "МККК"),))
    allowed = allocate_one(short, with_opening=False)
    assert allowed.lead == short.lead
    assert count_shown(allowed.excerpt) + len("Здесь открыли мост") <= 0.3 * len(body)


def test_a_lead_in_words_of_its_own_is_shown_whatever_was_taken() -> None:
    item = make_article_of(TEXT, lead="Кратко о том, что МККК сделал", matches=(make_match(TEXT, "МККК"),))
    assert allocate_one(item).lead == item.lead


def test_a_sentence_of_a_lead_is_shown_where_its_version_may_show_the_lead() -> None:
    piece, own = TEXT[:60].rsplit(" ", 1)[0], "Кратко о том, что МККК сделал"
    versions = [make_article_of(TEXT, lead=lead, version=version) for version, lead in enumerate((own, piece), 1)]
    fragments = tuple(Fragment(article=each, text=str(each.lead), core=(0, 5), is_in_lead=True) for each in versions)
    allowed = allocate_one(versions[1], make_registry(excerpt_share=0.0), fragments=fragments)
    assert (allowed.lead, allowed.fragments) == (None, (own, None))


def test_a_text_on_the_site_of_another_source_has_the_smaller_share() -> None:
    rights = {
        "mfa": Rights(excerpt_share=1.0, link_required=False, wording=None, source=None),
        "ktkz": Rights(excerpt_share=0.3, link_required=True, wording=None, source=None, reference="Kazakhstan Today"),
    }
    there = make_article_of(TEXT, source="mfa", url="https://www.kt.kz/rus/press-materialy/x_-_1377987073.html")
    here = make_article_of(TEXT, source="mfa", url="https://www.gov.kz/x")
    for own, theirs, expected in ((1.0, 0.3, 0.3), (0.1, 0.3, 0.1)):
        rights["mfa"] = replace(rights["mfa"], excerpt_share=own)
        rights["ktkz"] = replace(rights["ktkz"], excerpt_share=theirs)
        registry = RightsRegistry(rights, {"mfa": ["https://www.gov.kz"], "ktkz": ["https://www.kt.kz"]})
        assert registry.get(there).excerpt_share == registry.get_credit(there).share == expected
        assert registry.get(here).excerpt_share == own
