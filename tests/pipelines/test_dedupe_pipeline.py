"""Verdicts (new, revised, unchanged, copy) against the store and against earlier articles of the same run."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crawler.context.drops import ArticleDamaged, ArticleFromOtherRecord
from crawler.context.known_articles import KnownArticles
from crawler.items import Article, ArticleFlag, Extraction, Verdict
from crawler.pipelines.dedupe import DedupePipeline
from crawler.similarity.content_hashes import hash_body, hash_revision
from crawler.store import Store

LONG = "Мост через реку открыт, он самый длинный в области и построен за два года. " * 4
ARTICLE = Article(id="mfa:1:ru", source="mfa", url="https://example.org/1", title="Мост", body=LONG)
COPY = replace(ARTICLE, id="ktkz:9:ru", source="ktkz", url="https://example.com/9", title="Мост открыли")


def judged(
    store: Store, *articles: Article, stored: bool = True
) -> list[tuple[Verdict | None, int | None, str | None]]:
    """Return one run's verdicts. `stored`: whether each article is stored before the next one, or only at the end."""
    known_articles = KnownArticles(store.articles)
    stage = DedupePipeline(store, known_articles)
    found = []
    for article in articles:
        one = stage.process_item(article)
        found.append((one.verdict, one.version, one.copy_of))
        if stored:
            kept = {"content_hash": hash_revision(one), "copy_hash": hash_body(one), "run_id": None}
            store.articles.save(one, **kept, seen_at=datetime(2026, 6, 11, tzinfo=UTC))
            known_articles.forget(one.source, one.native_id)
    return found


def test_unknown_article_is_new(store: Store) -> None:
    assert judged(store, ARTICLE) == [(Verdict.NEW, 1, None)]


def test_verdict_is_all_that_changes(store: Store) -> None:
    found = DedupePipeline(store, KnownArticles(store.articles)).process_item(ARTICLE)
    assert replace(found, verdict=None, version=None) == ARTICLE


def test_same_text_in_the_next_run_is_unchanged(store: Store) -> None:
    judged(store, ARTICLE)
    assert judged(store, replace(ARTICLE, section="x")) == [(Verdict.UNCHANGED, 1, None)]


def test_every_edit_in_later_runs_is_a_version(store: Store) -> None:
    edits = [replace(ARTICLE, body=f"{LONG}\nДобавлено {number}.") for number in range(3)]
    judged(store, ARTICLE)
    assert [judged(store, edit) for edit in edits] == [[(Verdict.REVISED, version, None)] for version in (2, 3, 4)]
    assert judged(store, edits[-1]) == [(Verdict.UNCHANGED, 4, None)]
    assert judged(store, ARTICLE) == [(Verdict.REVISED, 5, None)]


@pytest.mark.parametrize("stored", [True, False])
def test_article_met_twice_in_one_run(store: Store, stored: bool) -> None:
    edit = replace(ARTICLE, title="Мост открыт")
    assert judged(store, ARTICLE, ARTICLE, edit, edit, stored=stored) == [
        (Verdict.NEW, 1, None),
        (Verdict.UNCHANGED, 1, None),
        (Verdict.REVISED, 2, None),
        (Verdict.UNCHANGED, 2, None),
    ]


@pytest.mark.parametrize("stored", [True, False])
def test_same_text_elsewhere_in_one_run_is_a_copy(store: Store, stored: bool) -> None:
    third = replace(COPY, id="ktkz:10:ru")
    assert judged(store, ARTICLE, COPY, third, stored=stored) == [
        (Verdict.NEW, 1, None),
        (Verdict.COPY, 1, "mfa:1:ru"),
        (Verdict.COPY, 1, "mfa:1:ru"),
    ]


def test_same_text_of_another_source_in_a_later_run_is_a_copy(store: Store) -> None:
    judged(store, ARTICLE)
    assert judged(store, COPY) == [(Verdict.COPY, 1, "mfa:1:ru")]
    assert judged(store, COPY) == [(Verdict.UNCHANGED, 1, None)]


def test_revised_copy_is_a_revision(store: Store) -> None:
    judged(store, ARTICLE, COPY)
    assert judged(store, replace(COPY, body=f"{LONG}\nЕще.")) == [(Verdict.REVISED, 2, None)]


def test_text_of_any_version_is_known_as_a_copy(store: Store) -> None:
    judged(store, ARTICLE)
    judged(store, replace(ARTICLE, body=f"{LONG}\nДобавлено."))
    assert judged(store, COPY) == [(Verdict.COPY, 1, "mfa:1:ru")]
    assert judged(store, replace(COPY, id="ktkz:11:ru", body=f"{LONG}\nДобавлено.")) == [(Verdict.COPY, 1, "mfa:1:ru")]


def test_translations_are_articles_of_their_own(store: Store) -> None:
    english = replace(
        ARTICLE, id="mfa:1:en", language="en", url="https://example.org/1?lang=en", body="A bridge. " * 20
    )
    assert [found[0] for found in judged(store, ARTICLE, english)] == [Verdict.NEW, Verdict.NEW]


def test_short_texts_are_copies_only_with_the_same_title(store: Store) -> None:
    short = replace(ARTICLE, body="Подробности позже.")
    other = replace(short, id="mfa:2:ru", title="Рынок")
    same = replace(short, id="mfa:3:ru")
    assert judged(store, short, other, same) == [
        (Verdict.NEW, 1, None),
        (Verdict.NEW, 1, None),
        (Verdict.COPY, 1, "mfa:1:ru"),
    ]


@pytest.mark.parametrize("stored", [True, False])
def test_untranslated_article_overwrites_no_other_records_of_its_run(store: Store, *, stored: bool) -> None:
    stray = replace(ARTICLE, title="Көпір", requested_language="kk")
    with pytest.raises(ArticleFromOtherRecord):
        judged(store, ARTICLE, stray, stored=stored)
    alone = replace(stray, id="mfa:2:ru", body=f"{LONG} Да.")
    own = replace(alone, title="Мост!", requested_language=None)
    with pytest.raises(ArticleFromOtherRecord):
        judged(store, alone, replace(alone, title="Мост"), own, alone, stored=stored)


def test_untranslated_article_overwrites_no_other_records(store: Store) -> None:
    """gov.kz: the kk record has the Russian text, with another title."""
    stray = replace(ARTICLE, title="Көпір", requested_language="kk")
    judged(store, ARTICLE)
    with pytest.raises(ArticleFromOtherRecord):
        judged(store, stray)
    alone = replace(stray, id="mfa:2:ru", body=f"{LONG} Да.")
    assert judged(store, alone) == [(Verdict.NEW, 1, None)]
    assert judged(store, replace(alone, title="Мост")) == [(Verdict.REVISED, 2, None)]
    with pytest.raises(ArticleFromOtherRecord):
        judged(store, replace(alone, title="Bridge", requested_language="en"))
    assert judged(store, replace(alone, title="Мост!", requested_language=None)) == [(Verdict.REVISED, 3, None)]


def test_a_page_whose_text_is_read_in_another_language_later_is_the_same_page(store: Store) -> None:
    short = replace(ARTICLE, id="mfa:1:und", language="und", body="ICRC, IHL.")
    longer = replace(short, id="mfa:1:en", language="en", body="The ICRC and IHL, and a bridge over the river.")
    assert judged(store, short, longer, longer) == [
        (Verdict.NEW, 1, None),
        (Verdict.REVISED, 2, None),
        (Verdict.UNCHANGED, 2, None),
    ]
    stored = store.articles.get_state("mfa:1:und")
    assert stored is not None
    assert (stored.version, stored.language) == (2, "en")
    assert store.articles.get_state("mfa:1:en") is None


def test_text_that_was_stored_with_unseen_characters_is_unchanged(store: Store) -> None:
    """Earlier versions kept variation selectors and direction marks."""
    judged(store, replace(ARTICLE, title="Мост \u2764\ufe0f", lead="\u200eМост"))
    assert judged(store, replace(ARTICLE, title="Мост \u2764", lead="Мост")) == [(Verdict.UNCHANGED, 1, None)]


DAMAGED = replace(ARTICLE, body=LONG[:99], flags=(ArticleFlag.CUT_OFF,))


def test_damaged_text_is_stored_only_where_nothing_else_is(store: Store) -> None:
    counted: list[str] = []
    stage = DedupePipeline(store, KnownArticles(store.articles), counted.append)
    assert (stage.process_item(DAMAGED).verdict, counted) == (Verdict.NEW, ["damaged"])
    judged(store, ARTICLE)
    for item in (DAMAGED, replace(DAMAGED, body="Ð" * 40, flags=(ArticleFlag.WRONG_ENCODING,))):
        with pytest.raises(ArticleDamaged, match="came damaged"):
            DedupePipeline(store, KnownArticles(store.articles), counted.append).process_item(item)
    assert [version.body for version in store.versions.list_by_article(ARTICLE.id)] == [LONG]
    assert counted == ["damaged"] * 3


def test_first_sound_version_after_a_damaged_one_is_new(store: Store) -> None:
    assert judged(store, DAMAGED) == [(Verdict.NEW, 1, None)]
    with pytest.raises(ArticleDamaged):
        judged(store, replace(DAMAGED, body=LONG[:50]))
    assert judged(store, ARTICLE) == [(Verdict.NEW, 2, None)]
    assert judged(store, replace(ARTICLE, body=LONG + "Да.")) == [(Verdict.REVISED, 3, None)]
    stage = DedupePipeline(store, KnownArticles(store.articles))
    other = replace(DAMAGED, id="mfa:2:ru", url="https://example.org/2", body="Река и")
    assert stage.process_item(other).verdict is Verdict.NEW
    assert stage.process_item(replace(other, body="Река.", flags=())).verdict is Verdict.NEW


def test_damage_that_spares_the_text_changes_nothing(store: Store) -> None:
    judged(store, ARTICLE)
    counted: list[str] = []
    found = DedupePipeline(store, KnownArticles(store.articles), counted.append).process_item(
        replace(ARTICLE, flags=(ArticleFlag.CUT_OFF,))
    )
    assert (found.verdict, counted) == (Verdict.UNCHANGED, [])


def test_same_damage_again_is_counted_again(store: Store) -> None:
    judged(store, DAMAGED)
    counted: list[str] = []
    assert (
        DedupePipeline(store, KnownArticles(store.articles), counted.append).process_item(DAMAGED).verdict
        is Verdict.UNCHANGED
    )
    assert counted == ["damaged"]


def test_damaged_text_does_not_bring_a_removed_page_back(store: Store) -> None:
    judged(store, ARTICLE, replace(ARTICLE, verdict=Verdict.UNPUBLISHED, version=2))
    with pytest.raises(ArticleDamaged):
        judged(store, DAMAGED)
    assert judged(store, ARTICLE) == [(Verdict.REPUBLISHED, 3, None)]


def test_replayed_page_that_is_older_than_the_newest_version_makes_none(store: Store) -> None:
    first, day = datetime(2026, 6, 11, tzinfo=UTC), timedelta(days=1)
    edit = replace(ARTICLE, body=f"{LONG}\nДобавлено.")
    for article, days in ((ARTICLE, 0), (edit, 2)):
        one = DedupePipeline(store, KnownArticles(store.articles)).process_item(article)
        hashes = {"content_hash": hash_revision(one), "copy_hash": hash_body(one)}
        store.articles.save(one, **hashes, run_id=None, seen_at=first + days * day)
    stage = DedupePipeline(store, KnownArticles(store.articles), is_replay=True)
    pages = [replace(ARTICLE, fetched_at=first + day), replace(edit, fetched_at=first + 2 * day)]
    pages += [
        replace(ARTICLE, title="Другой мост", fetched_at=first + day),
        replace(ARTICLE, fetched_at=first + 3 * day),
    ]
    found = [stage.process_item(page) for page in pages]
    assert [(one.verdict, one.version) for one in found] == [
        (Verdict.UNCHANGED, 2),
        (Verdict.UNCHANGED, 2),
        (Verdict.UNCHANGED, 2),
        (Verdict.REVISED, 3),
    ]


GENERIC = replace(ARTICLE, extraction=Extraction.GENERIC, body=f"{LONG}\nПодпишитесь.")


def test_the_page_class_replaces_a_generically_read_text_without_a_revision(store: Store) -> None:
    assert judged(store, GENERIC) == [(Verdict.NEW, 1, None)]
    assert judged(store, ARTICLE) == [(Verdict.REPROCESSED, 2, None)]
    stored, state = store.articles.get(ARTICLE.id), store.articles.get_state(ARTICLE.id)
    assert stored is not None and state is not None
    assert (stored.body, stored.extraction, stored.site_verdict, state.verdict) == (
        LONG,
        None,
        Verdict.NEW,
        Verdict.NEW,
    )
    assert judged(store, replace(ARTICLE, body=f"{LONG}\nДобавлено.")) == [(Verdict.REVISED, 3, None)]


def test_a_generically_read_text_never_replaces_that_of_the_page_class(store: Store) -> None:
    judged(store, ARTICLE)
    assert judged(store, GENERIC) == [(Verdict.UNCHANGED, 1, None)]
    assert store.articles.get(ARTICLE.id) == replace(ARTICLE, verdict=Verdict.NEW, version=1)


def test_two_generic_readings_are_compared_like_any_others(store: Store) -> None:
    edited = replace(GENERIC, body=f"{LONG}\nДобавлено.")
    assert judged(store, GENERIC, edited) == [(Verdict.NEW, 1, None), (Verdict.REVISED, 2, None)]
