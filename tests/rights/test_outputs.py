"""Proof for every registered output: at most the allowed share of a text, with the required credit and link."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from html import unescape
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from support.empty_stores import open_test_store
from support.entry_outputs import NOON, OUTPUTS
from support.unique_words import WORD, count_shown, make_article, make_samples
from typer.testing import CliRunner

from crawler.cli.app import app
from crawler.config import Config
from crawler.items import Article, Strength, Verdict
from crawler.notify.webhooks import make_webhook_data
from crawler.publish.builder import EntryBuilder, EntryRequest, make_rights_registry
from crawler.publish.entries import Entry
from crawler.publish.output_registry import EXPORT_FORMATS, FEED_FORMATS
from crawler.store import Store

SAMPLES = make_samples()
SHARES = make_rights_registry(Config())


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('rights') / 'crawler.db'}"


@pytest.fixture(scope="module")
def sample_store(url: str) -> Iterator[Store]:
    with open_test_store(url) as opened:
        for versions in SAMPLES:
            for one in versions:
                seen = one.fetched_at
                assert seen is not None
                opened.articles.save(one, content_hash=one.body, run_id=None, seen_at=seen)
        opened.clusters.assign_pending(ZoneInfo("Asia/Almaty"))
        yield opened


def build_entries(sample_store: Store, articles: list[Article]) -> list[Entry]:
    """Return the entries of one output, built together."""
    requests = (EntryRequest(article=one, strength=Strength.WEAK) for one in articles)
    return EntryBuilder(Config(), sample_store).build(requests)


@pytest.fixture(scope="module")
def current_outputs(sample_store: Store) -> Callable[[str, Article], str]:
    """A function that returns an output of one article alone, which several tests read."""
    current = {versions[-1].id: versions[-1] for versions in SAMPLES}
    build = cache(lambda article_id: build_entries(sample_store, [current[article_id]]))
    render = cache(lambda output, article_id: render_output(output, build(article_id)))
    return lambda output, one: render(output, one.id)


def render_output(output: str, found: list[Entry]) -> str:
    return unescape(OUTPUTS[output](found))


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("versions", SAMPLES, ids=lambda versions: versions[-1].id)
def test_no_more_of_a_text_is_shown_than_its_source_allows(
    output: str, versions: list[Article], current_outputs: Callable[[str, Article], str]
) -> None:
    current = versions[-1]
    text = current_outputs(output, current)
    allowed = SHARES.get(current).excerpt_share
    assert 0 < count_shown(text, current.body) <= allowed * len(current.body)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.slow
def test_all_versions_together_stay_within_the_share(output: str, sample_store: Store) -> None:
    for versions in SAMPLES:
        text = render_output(output, build_entries(sample_store, versions[::-1]))
        for one in versions:
            assert count_shown(text, one.body) <= SHARES.get(one).excerpt_share * max(
                len(each.body) for each in versions
            )


@pytest.mark.parametrize("output", OUTPUTS)
def test_all_articles_together_stay_within_their_shares(output: str, sample_store: Store) -> None:
    current = [versions[-1] for versions in SAMPLES]
    text = render_output(output, build_entries(sample_store, current))
    for one in current:
        assert count_shown(text, one.body) <= SHARES.get(one).excerpt_share * len(one.body), one.id


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("versions", SAMPLES, ids=lambda versions: versions[-1].id)
def test_link_reference_and_attribution_are_there(
    output: str, versions: list[Article], current_outputs: Callable[[str, Article], str]
) -> None:
    current = versions[-1]
    text = current_outputs(output, current)
    assert current.url in text
    for name in filter(None, (SHARES.get(current).reference, current.attribution)):
        assert name in text


@pytest.mark.parametrize("output", OUTPUTS)
def test_the_sentence_with_the_match_comes_first(output: str, current_outputs: Callable[[str, Article], str]) -> None:
    """It is alone, or part of one passage if the beginning of the text reaches it."""
    alone = 0
    for versions in SAMPLES:
        current = versions[-1]
        if not current.title or not (places := [match for match in current.matches if match.field == "body"]):
            continue
        sentence = set(WORD.findall(places[0].sentence))
        passage = list_first_passage(current_outputs(output, current), current.body)
        assert sentence <= set(passage), current.id
        alone += sentence == set(passage)
    assert alone == len(SAMPLES) // 5


def list_first_passage(text: str, body: str) -> list[str]:
    """Return the first words that a text shows of a body, as far as they are neighbours there too."""
    shown, order = WORD.findall(text), WORD.findall(body)
    begin = order.index(shown[0])
    return [word for word, other in zip(shown, order[begin:], strict=False) if word == other]


def test_a_permission_shows_the_whole_text(sample_store: Store) -> None:
    config = Config.model_validate({"sources": {"mfa": {"excerpt_share": 1, "permission": "letter of 3 May 2026"}}})
    one = next(versions[-1] for versions in SAMPLES if versions[-1].source == "mfa")
    maker = EntryBuilder(config, sample_store)
    for output in (*FEED_FORMATS, *EXPORT_FORMATS):
        text = render_output(output, maker.build([EntryRequest(article=one)]))
        assert count_shown(text, one.body) > 0.99 * len(one.body) - len(WORD.findall(one.body))


def save_edited_lead(store: Store, lead: str) -> Article:
    """Save an article whose first word and lead are edited. `{}` in the lead is that word. Return the new version."""
    new = make_article(60, "qazmonitor", (), version=2, verdict=Verdict.REVISED)
    words = WORD.findall(new.body)
    old = replace(new, body=new.body.replace(words[0], "Слово99999"), version=1, verdict=Verdict.NEW)
    new, old = replace(new, lead=lead.format(words[0])), replace(old, lead=lead.format("Слово99999"))
    for each in (old, new):
        store.articles.save(each, content_hash=each.body, run_id=None, seen_at=NOON)
    return new


@pytest.mark.parametrize("share", [0, 0.1, 0.3])
def test_an_edited_lead_that_repeats_the_body_counts_in_the_share(share: float, tmp_path: Path) -> None:
    body = make_article(60, "qazmonitor", ()).body
    lead = "{}" + body[len("слово99999") : len(body) // 3].rsplit(" ", 1)[0].replace("\n", " ")
    config = Config.model_validate({"sources": {"qazmonitor": {"excerpt_share": share}}})
    with open_test_store(f"sqlite:///{tmp_path / 'crawler.db'}") as store:
        new = save_edited_lead(store, lead)
        (entry,) = EntryBuilder(config, store).build([EntryRequest(article=new, with_edits=True)])
    (edit, *_) = [edit for edit in entry.edits if edit.field == "lead"]
    assert edit.is_cut
    hook = json.dumps(make_webhook_data("alert", "press", NOON, [entry]), ensure_ascii=False)
    for text in (hook, *(render_output(output, [entry]) for output in OUTPUTS)):
        assert count_shown(text, new.body) <= share * len(new.body)


def test_an_edited_lead_in_words_of_its_own_is_shown(tmp_path: Path) -> None:
    config = Config.model_validate({"sources": {"qazmonitor": {"excerpt_share": 0}}})
    with open_test_store(f"sqlite:///{tmp_path / 'crawler.db'}") as store:
        new = save_edited_lead(store, "In short, {} is first.")
        (entry,) = EntryBuilder(config, store).build([EntryRequest(article=new, with_edits=True)])
    (edit,) = [edit for edit in entry.edits if edit.field == "lead"]
    assert (edit.old, edit.new, edit.is_cut) == ("In short, Слово99999 is first.", new.lead, False)


def test_the_counter_finds_an_excess(sample_store: Store) -> None:
    one = SAMPLES[0][0]
    assert count_shown(one.body, one.body) == len(one.body) - 1  # the last full stop belongs to no word
    assert (
        count_shown(json.dumps(one.body), one.body) == 0
    )  # escaped letters would hide what is shown: outputs are read as text
    assert count_shown(" ".join(WORD.findall(one.body)[::2]), one.body) > 0.3 * len(one.body)


@pytest.mark.parametrize(
    "arguments",
    [
        ("feed", "--format", "atom", "--limit", "99"),
        ("feed", "--format", "json", "--unit", "article", "--limit", "99"),
        ("feed", "--format", "rss", "--strength", "weak", "--limit", "99"),
        ("export", "-o", "out.jsonl", "--all", "--versions"),
        ("export", "-o", "out.csv", "--versions", "--strength", "weak"),
    ],
    ids=" ".join,
)
def test_commands_stay_within_the_shares(
    arguments: tuple[str, ...], url: str, sample_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CRAWLER_DATABASE", url)
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    written = list(tmp_path.glob("out.*"))
    text = unescape(written[0].read_text(encoding="utf-8") if written else done.stdout)
    assert len(WORD.findall(text)) > 500
    for versions in SAMPLES:
        most = max(SHARES.get(one).excerpt_share * len(one.body) for one in versions)
        assert all(count_shown(text, one.body) <= most for one in versions), versions[0].id
