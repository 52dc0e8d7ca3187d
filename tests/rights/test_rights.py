"""The door to article text: never more than the share, in whatever pieces; the match first; cut at words."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.config import Config
from crawler.errors import ConfigError
from crawler.items import Article, Match, Strength
from crawler.rights import Door, Excerpt, RightsRegistry

SENTENCES = st.lists(
    st.lists(st.text("абвгдежзийклмн", min_size=1, max_size=12), min_size=1, max_size=25).map(
        lambda words: " ".join(words).capitalize() + "."
    ),
    min_size=1,
    max_size=25,
)


def article(body: str, source: str = "qazmonitor", **values: object) -> Article:
    given = {"id": f"{source}:1:ru", "source": source, "url": "https://qazmonitor.com/news/1/x", "body": body}
    return Article(**{**given, "title": "Заголовок", "version": 1, **values})  # type: ignore[arg-type]


def match(body: str, word: str, strength: Strength = Strength.STRONG, after: int = 0) -> Match:
    at = body.index(word, after)
    found = {"rule": "red_cross", "term": word, "surface": word, "field": "body", "sentence": ""}
    return Match(**found, start=at, end=at + len(word), strength=strength)


def shown(excerpt: Excerpt) -> int:
    return sum(len(piece.text) for piece in excerpt.pieces)


def door(**settings: object) -> Door:
    return Door(RightsRegistry(Config.model_validate(settings)))


@st.composite
def articles(draw: st.DrawFn) -> Article:
    number = count()
    drawn = draw(st.sampled_from(["\n", " "])).join(draw(SENTENCES))
    body = re.sub(r"\w+", lambda word: f"{word[0]}{next(number)}", drawn)  # each word once: places are certain
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
    return article(body, matches=matches, title=draw(st.sampled_from(["Заголовок", None])))


@settings(deadline=None)  # the first example imports every source
@given(articles(), st.lists(st.sampled_from(["excerpt", "headline", "fragment", "short"]), max_size=6), st.data())
def test_all_pieces_together_stay_within_the_share(item: Article, asked: list[str], data: st.DataObject) -> None:
    through, seen = door(), set[int]()
    for what in asked:
        texts: list[str] = []
        if what == "headline":
            texts = [] if item.title else [through.headline(item)[0].rstrip("…")]
        elif what == "fragment":
            sentence = data.draw(st.sampled_from(re.findall(r"[^.]+\.", item.body)))
            texts = [(through.fragment(item, sentence) or "").rstrip("…")]
        else:
            most = data.draw(st.integers(0, 200)) if what == "short" else None
            texts = [piece.text for piece in through.excerpt(item, most=most).pieces]
            assert most is None or sum(map(len, texts)) <= most + 5  # joined pieces take the space between
        for text in filter(None, texts):
            assert text in item.body
            at = item.body.index(text)
            seen |= set(range(at, at + len(text)))
    assert len(seen) <= 0.3 * len(item.body)


@settings(deadline=None)
@given(articles())
def test_what_is_cut_is_cut_at_words(item: Article) -> None:
    for piece in door().excerpt(item).pieces:
        at = item.body.index(piece.text)
        assert at == 0 or item.body[at - 1].isspace()
        end = at + len(piece.text)
        assert end == len(item.body) or item.body[end].isspace()
        assert piece.after == bool(item.body[end:].strip())


TEXT = (
    "Первое предложение говорит о погоде и ни о чём другом. "
    "Второе предложение рассказывает, что МККК открыл представительство. "
    "Третье говорит о чём-то ином, и его никто не должен видеть вовсе. " + "Остальное длинное и неважное. " * 12
)


def test_the_sentence_with_the_match_comes_first() -> None:
    first, *rest = door().excerpt(article(TEXT, matches=(match(TEXT, "МККК"),))).pieces
    assert "МККК" in first.text
    assert [first.text[slice(*mark)] for mark in first.marks] == ["МККК"]
    assert all("Третье" not in piece.text for piece in rest)


def test_a_sure_match_comes_before_an_unsure_one() -> None:
    body = "Здесь МГП как-нибудь. " + "Много других слов без значения. " * 3 + "А здесь МККК наверняка. " + TEXT
    weak, strong = match(body, "МГП", Strength.WEAK), match(body, "МККК")
    pieces = door().excerpt(article(body, matches=(weak, strong)), opening=False).pieces
    assert ["МККК" in pieces[0].text, "МГП" in pieces[1].text] == [True, True]


def test_a_sentence_that_is_too_long_is_cut_around_the_match() -> None:
    body = "слово " * 60 + "МККК " + "слово " * 60
    (piece,) = door().excerpt(article(body, matches=(match(body, "МККК"),)), opening=False).pieces
    assert "МККК" in piece.text
    assert piece.before
    assert piece.after
    assert piece.quoted.startswith("… слово")
    assert piece.quoted.endswith("слово…")
    assert 150 < len(piece.text) <= 0.3 * len(body)


def test_an_excerpt_asked_for_again_is_the_same_and_costs_nothing() -> None:
    item, through = article(TEXT, matches=(match(TEXT, "МККК"),)), door()
    assert shown(through.excerpt(item, opening=False)) == shown(through.excerpt(item, opening=False)) > 0


def test_versions_of_an_article_share_one_share() -> None:
    through = door()
    old, new = article(TEXT), article(TEXT.replace("погоде", "климате"), version=2)
    taken = shown(through.excerpt(old)) + shown(through.excerpt(new))
    assert 0 < taken <= 0.3 * len(new.body)


def test_a_headline_made_from_the_body_counts() -> None:
    through, item = door(), article(TEXT, title=None)
    headline, derived = through.headline(item)
    assert derived
    assert headline.rstrip("…") in TEXT
    (piece,) = through.excerpt(item).pieces
    assert piece.text.startswith(headline.rstrip("…"))  # shown again, counted once
    assert len(piece.text) <= 0.3 * len(TEXT)


def test_a_title_is_no_part_of_the_share() -> None:
    assert door().headline(article(TEXT, title="Слово " * 90)) == ("Слово " * 90, False)


def test_a_permission_opens_the_whole_text() -> None:
    permitted = {"sources": {"qazmonitor": {"excerpt_share": 1.0, "permission": "letter of 3 May 2026"}}}
    excerpt = door(**permitted).excerpt(article(TEXT, matches=(match(TEXT, "МККК"),)))
    assert excerpt.whole
    assert [piece.text for piece in excerpt.pieces] == [TEXT]


def test_a_larger_share_without_a_permission_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"sources\.qazmonitor\.excerpt_share = 0\.9 .* permission"):
        door(sources={"qazmonitor": {"excerpt_share": 0.9}})


def test_an_owner_may_show_less_or_nothing_at_all() -> None:
    item = article(TEXT, matches=(match(TEXT, "МККК"),))
    assert door(sources={"qazmonitor": {"excerpt_share": 0.0}}).excerpt(item).pieces == ()


def test_the_permission_of_today_counts_not_that_of_the_day_of_the_crawl() -> None:
    rights = RightsRegistry(Config.model_validate({"sources": {"qazmonitor": {"excerpt_share": 1, "permission": "x"}}}))
    item = article(TEXT)
    item = Article.from_dict({**item.to_dict(), "rights": {**_plain(rights.get(item))}})
    assert shown(door().excerpt(item)) <= 0.3 * len(TEXT)


def _plain(rights: object) -> dict[str, object]:
    return {name: getattr(rights, name) for name in type(rights).__dataclass_fields__}  # type: ignore[attr-defined]


def test_a_source_that_is_gone_has_thirty_per_cent() -> None:
    item = article(TEXT, source="gone", published_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert 0 < shown(door().excerpt(item)) <= 0.3 * len(TEXT)
    assert door().credit(item).link_required


def test_kazakhstan_today_is_named() -> None:
    assert door().credit(article(TEXT, source="ktkz", attribution="МИД РК")).reference == "Kazakhstan Today"


def test_a_text_that_stands_on_another_source_s_site_names_that_one() -> None:
    there = "https://www.kt.kz/rus/press-materialy/x_-_1377987073.html"
    assert door().credit(article(TEXT, source="mfa", url=there)).reference == "Kazakhstan Today"
    assert door().credit(article(TEXT, source="mfa", url="https://www.gov.kz/x")).reference is None


def test_a_fragment_that_does_not_stand_in_the_body_is_none() -> None:
    through = door()
    assert through.fragment(article(TEXT), "Этого там нет.") is None
    assert through.fragment(article(TEXT), "Первое предложение говорит о погоде и ни о чём другом.") is not None


@pytest.mark.parametrize("cut", ["", "…", "..."])
def test_a_lead_that_is_a_piece_of_the_body_counts_like_one(cut: str) -> None:
    body = "Здесь открыли мост. А здесь МККК сказал своё слово.\nДальше идёт остальное, и оно длиннее всего. " * 3
    whole = article(body, lead=" ".join(body.split()) + cut, matches=(match(body, "МККК"),))
    assert door().lead(whole) is None
    short = article(body, lead=f"Здесь открыли мост{cut}", matches=(match(body, "МККК"),))
    through = door()
    assert through.lead(short) == short.lead
    assert shown(through.excerpt(short, opening=False)) <= 0.3 * len(body) - len("Здесь открыли мост")


def test_a_lead_in_words_of_its_own_is_shown_whatever_was_taken() -> None:
    item = article(TEXT, lead="Кратко о том, что МККК сделал", matches=(match(TEXT, "МККК"),))
    through = door()
    through.excerpt(item)
    assert through.lead(item) == item.lead
