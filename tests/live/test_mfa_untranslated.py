"""gov.kz records with a text in another language than requested: they overwrite no version of another record."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.gov_site import GovSite
from support.sandbox import CommandResult, Sandbox

from crawler.items import Article

pytestmark = pytest.mark.slow

HOW = ("titles", "datelines", "alone")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, GovSite, list[CommandResult]]]:
    """Two runs over an unchanged site, then one more after the missing Russian record was published."""
    with GovSite(12) as gov:
        whole = [article.id for article in gov.articles if len(article.texts) == 3]
        gov.mixed = dict(zip(whole, HOW, strict=False))
        place = Sandbox(tmp_path_factory.mktemp("untranslated"), {"mfa": gov})
        done = [place.run_crawler("crawl", "mfa", "--json") for _ in range(2)]
        gov.mixed.pop(named(gov, "alone"))
        yield place, gov, [*done, *(place.run_crawler("crawl", "mfa", "--json") for _ in range(2))]


def named(gov: GovSite, how: str) -> str:
    return next(native_id for native_id, each in gov.mixed.items() if each == how)


def versions(place: Sandbox, native_id: str) -> dict[str, list[Article]]:
    found = {key for key in place.get_articles() if f":{native_id}:" in key}
    return {key.rpartition(":")[2]: place.list_versions(key) for key in found}


def counts(done: CommandResult) -> dict[str, int]:
    return done.get_run("mfa")["counts"]


def test_a_second_run_over_an_unchanged_site_finds_nothing_new(
    runs: tuple[Sandbox, GovSite, list[CommandResult]],
) -> None:
    _, _, done = runs
    assert [each.code for each in done] == [0] * 4
    assert "articles/revised" not in counts(done[0])
    for quiet in (done[1], done[3]):
        assert not {"articles/new", "articles/revised", "articles/copy"} & counts(quiet).keys()
        assert counts(quiet)["untranslated"] >= 4


@pytest.mark.parametrize("how", ["titles", "datelines"])
def test_the_version_is_the_one_of_its_own_record(runs: tuple[Sandbox, GovSite, list[CommandResult]], how: str) -> None:
    place, gov, _ = runs
    native_id = named(gov, how)
    found = versions(place, native_id)
    assert {language: len(each) for language, each in found.items()} == {"ru": 1}
    text = gov.get_text(gov.get_article(native_id), "ru")
    assert (found["ru"][0].title, found["ru"][0].body) == (text.title, text.body)


def test_an_article_in_one_record_alone_is_kept_until_its_own_comes(
    runs: tuple[Sandbox, GovSite, list[CommandResult]],
) -> None:
    place, gov, _ = runs
    native_id = next(article.id for article in gov.articles if article.id not in gov.mixed and len(article.texts) == 3)
    found = versions(place, native_id)
    assert {language: len(each) for language, each in found.items()} == {"ru": 1, "kk": 1, "en": 1}
    assert found["ru"][0].provenance["language"].endswith("asked for as kk")
