"""What is learned of a site: places of its text, lines that repeat, parts of its titles; and when it is not trusted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from support.unknown_sites import UnknownSitePage, make_wordpress_page

from crawler.errors import UsageError
from crawler.generic import reader
from crawler.generic.article_body import LineOpinions
from crawler.generic.memory_folder import MemoryFolder
from crawler.generic.page import GenericPage
from crawler.generic.site_memory import LEARNING_PAGES, MAX_PAGES, RECHECK_INTERVAL, SiteMemory, make_memory

TAIL = "Subscribe to our weekly letter and never miss a story from the valley."
TEASERS = [f"How village number {number} lives half a year after the big flood" for number in range(5)]


def judge_by_truth(pages: list[UnknownSitePage]) -> object:
    """Return a stand-in for the extractors that knows the paragraphs, and takes TAIL and most TEASERS for text."""
    known = {paragraph for page in pages for paragraph in page.paragraphs} | {TAIL, *TEASERS[1:]}

    def judge(page: GenericPage, title: str = "") -> LineOpinions:
        scores = [2.0 if line.text in known else -2.0 for line in page.lines]
        return LineOpinions(page.lines, scores, {})

    return judge


def add_tail(page: UnknownSitePage) -> UnknownSitePage:
    return replace(page, html=page.html.replace('<div class="sharedaddy">', f"<p>{TAIL}</p><div>"))


def add_teasers(page: UnknownSitePage, number: int) -> UnknownSitePage:
    cards = "".join(f'<p class="dek">{TEASERS[(number + each) % len(TEASERS)]}</p>' for each in range(2))
    return replace(page, html=page.html.replace("</article>", f'<div class="cards">{cards}</div></article>'))


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> list[UnknownSitePage]:
    made = [make_wordpress_page(number) for number in range(LEARNING_PAGES)]
    monkeypatch.setattr(reader, "judge_lines", judge_by_truth(made))
    return made


def learn(pages: list[UnknownSitePage]) -> SiteMemory:
    memory = SiteMemory("herald.example")
    for page in pages:
        reader.read_page(GenericPage(page.html, page.url), memory)
    return memory


def test_a_site_whose_template_agrees_is_read_without_the_extractors(
    pages: list[UnknownSitePage], monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = learn(pages)
    assert memory.is_template_reliable

    def fail(page: GenericPage, title: str = "") -> LineOpinions:
        raise AssertionError("the extractors were asked")

    monkeypatch.setattr(reader, "judge_lines", fail)
    page = make_wordpress_page(23)
    article = reader.read_page(GenericPage(page.html, page.url), memory)
    assert (article.title, article.body) == (page.title, "\n".join(page.paragraphs))
    assert article.evidence["body"] == f"places of the text on {len(memory.pages)} pages of the site"


def test_a_line_of_many_pages_is_not_the_article(pages: list[UnknownSitePage]) -> None:
    memory = learn([add_tail(page) for page in pages])
    page = add_tail(pages[0])
    article = reader.read_page(GenericPage(page.html, page.url), memory)
    assert article.body is not None
    assert TAIL not in article.body


def test_teasers_that_return_on_other_pages_are_not_the_article(pages: list[UnknownSitePage]) -> None:
    memory = learn([add_teasers(page, number) for number, page in enumerate(pages)])
    page = add_teasers(make_wordpress_page(23), 23)
    article = reader.read_page(GenericPage(page.html, page.url), memory)
    assert article.evidence["body"].startswith("places of the text")
    assert article.body == "\n".join(page.paragraphs)


def test_paragraphs_that_return_and_were_always_text_are_the_article(pages: list[UnknownSitePage]) -> None:
    memory = SiteMemory("herald.example")
    for number, made in enumerate(pages):
        page = GenericPage(add_teasers(made, number).html, made.url)
        chosen = ["entry-content" in line.path or "cards" in line.path for line in page.lines]
        memory.learn_page(page.key, page.lines, chosen, ())
    page = GenericPage(add_teasers(make_wordpress_page(23), 23).html, "u")
    added = [line for line in page.lines if "cards" in line.path]
    assert [memory.find_share(line) for line in added] == [(1.0, 240)] * 2


def test_an_article_at_several_addresses_is_no_teaser(pages: list[UnknownSitePage]) -> None:
    memory = SiteMemory("herald.example")
    for number in range(8):
        page = GenericPage(pages[number % 4].html, f"{pages[0].url}?print={number}")
        is_read = number < 7
        memory.learn_page(page.key, page.lines, [is_read and "entry-content" in line.path for line in page.lines], ())
    page = GenericPage(pages[5].html, pages[5].url)
    chosen = memory.read_by_template(page.lines, page.key)
    text = [line.text for line, is_chosen in zip(page.lines, chosen, strict=True) if is_chosen]
    assert set(pages[5].paragraphs) <= set(text)


def test_a_new_layout_is_judged_again(pages: list[UnknownSitePage]) -> None:
    memory = learn(pages)
    page = pages[0]
    html = page.html.replace("entry-content", "story").replace("<article", "<section").replace("</article", "</section")
    article = reader.read_page(GenericPage(html, page.url + "/new"), memory)
    assert article.body == "\n".join(page.paragraphs)
    assert "places" not in article.evidence["body"]
    assert memory.odd_agreements[-1] < 0.5


def test_a_page_of_another_layout_does_not_make_the_template_unreliable(pages: list[UnknownSitePage]) -> None:
    memory = learn(pages)
    before = memory.agreements
    html = pages[0].html.replace("entry-content", "story").replace("article", "section")
    reader.read_page(GenericPage(html, pages[0].url + "/new"), memory)
    assert memory.odd_agreements[-1] < 0.5
    assert memory.agreements == before
    assert memory.is_template_reliable


def test_a_place_is_known_under_other_outer_elements(pages: list[UnknownSitePage]) -> None:
    memory = learn(pages)
    page = make_wordpress_page(23)
    html = page.html.replace("<body", '<body class="wide"').replace("<main", '<section class="story"><main')
    article = reader.read_page(GenericPage(html, page.url), memory)
    assert article.body == "\n".join(page.paragraphs)
    assert "places of the text" in article.evidence["body"]


def test_a_place_without_a_class_is_not_known_under_other_outer_elements() -> None:
    memory = SiteMemory("herald.example")
    for number in range(3):
        page = GenericPage(
            f'<div class="news"><div><div><p>The ferry {number} returns.</p></div></div></div>', str(number)
        )
        memory.learn_page(page.key, page.lines, [True], ())
    (line,) = GenericPage('<div class="related"><div><div><p>Another story.</p></div></div></div>', "u").lines
    assert memory.find_share(line) is None


def test_a_page_of_another_layout_does_not_delay_the_next_check(pages: list[UnknownSitePage]) -> None:
    memory = learn(pages)
    memory.unchecked = RECHECK_INTERVAL - 1
    html = pages[0].html.replace("entry-content", "story").replace("article", "section")
    reader.read_page(GenericPage(html, pages[0].url + "/new"), memory)
    assert memory.unchecked == RECHECK_INTERVAL - 1


def test_teasers_are_counted_alike_after_saving(pages: list[UnknownSitePage]) -> None:
    kept, saved = SiteMemory("herald.example"), SiteMemory("herald.example")
    for number in range(MAX_PAGES):
        page = GenericPage(add_teasers(make_wordpress_page(number), number).html, f"u{number}")
        for memory in (kept, saved):
            memory.learn_page(page.key, page.lines, [False] * len(page.lines), ())
        saved = make_memory(saved.to_dict(), "x")
    assert saved.paths == kept.paths


def test_a_memory_of_a_former_version_is_read() -> None:
    values = {**SiteMemory("herald.example").to_dict(), "places": {"a/p": [100, 120]}}
    del values["odd_agreements"]
    assert make_memory(values, "x").paths == {"a/p": [100, 120, 0, 0]}


def test_a_page_much_longer_than_all_others_is_judged(pages: list[UnknownSitePage]) -> None:
    memory = learn(pages)
    longer = "".join(f"<p>{paragraph} Part {n}.</p>" for n in range(9) for paragraph in pages[0].paragraphs)
    page = GenericPage(
        pages[0].html.replace('<div class="entry-content">', f'<div class="entry-content">{longer}'), "u"
    )
    assert not memory.recognises(page.lines, memory.read_by_template(page.lines, page.key))


def test_the_template_is_checked_again_after_some_pages(pages: list[UnknownSitePage]) -> None:
    memory = learn(pages)
    memory.unchecked = RECHECK_INTERVAL
    reader.read_page(GenericPage(pages[0].html, pages[0].url), memory)
    assert memory.unchecked == 0


def test_a_page_counts_once_and_memory_has_a_limit(pages: list[UnknownSitePage]) -> None:
    memory = learn([pages[0]] * 3)
    assert len(memory.pages) == 1
    assert not memory.is_known
    page = GenericPage(pages[0].html)
    for number in range(MAX_PAGES + 5):
        memory.learn_page(str(number), page.lines, [True] * len(page.lines), ())
    assert len(memory.pages) == MAX_PAGES


def test_parts_that_titles_share_are_removed_from_them(pages: list[UnknownSitePage]) -> None:
    memory = learn([replace(page, html=page.html.replace("og:site_name", "x")) for page in pages])
    html = "<title>Snow closes the pass - Valley Herald</title><p>No heading.</p>"
    assert memory.title_parts == ["Valley Herald"]
    assert reader.read_page(GenericPage(html, "https://h.example/1"), memory).title == "Snow closes the pass"


def test_a_memory_is_a_private_json_file_that_is_read_again(pages: list[UnknownSitePage], tmp_path: Path) -> None:
    folder = MemoryFolder(tmp_path / "sites")
    memory = learn(pages)
    memory.odd_agreements = [0.3]
    folder.save_memory(memory)
    (file,) = (tmp_path / "sites").iterdir()
    assert file.name == "herald.example.json"
    assert file.stat().st_mode & 0o777 == 0o600
    values = json.loads(file.read_text(encoding="utf-8"))
    assert values["template_is_reliable"] is True
    assert next(iter(values["places"])).endswith("div.entry-content/p")
    again = MemoryFolder(tmp_path / "sites").get_memory("herald.example")
    assert again.to_dict() == memory.to_dict()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"format": 1}', '{"format": 2}', '{"format": 1, "site": "x", "pages": []}']
)
def test_a_damaged_memory_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "site.example.json").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="delete it, and the site is learned again"):
        MemoryFolder(tmp_path).get_memory("site.example")


def test_names_of_files_stay_in_the_folder(tmp_path: Path) -> None:
    folder = MemoryFolder(tmp_path / "sites")
    for site in ("../../etc/passwd", "a/b", "x" * 500):
        folder.save_memory(SiteMemory(site))
    assert {path.parent for path in tmp_path.rglob("*.json")} == {tmp_path / "sites"}


def test_a_memory_of_another_format_is_refused() -> None:
    with pytest.raises(UsageError, match="another format"):
        make_memory({"format": 99}, "x.json")


def test_a_list_that_no_learned_page_had_is_in_the_text(pages: list[UnknownSitePage]) -> None:
    memory = learn(pages)
    page = make_wordpress_page(23)
    html = page.html.replace("</p><p>", "</p><ul><li>a lamp;</li><li>a stove.</li></ul><p>", 1)
    article = reader.read_page(GenericPage(html, page.url), memory)
    assert article.body == "\n".join((page.paragraphs[0], "a lamp;", "a stove.", *page.paragraphs[1:]))


def test_a_line_that_is_a_link_is_text_at_a_place_that_is_always_text(
    pages: list[UnknownSitePage], monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = learn(pages)
    page = make_wordpress_page(23)
    linked = page.paragraphs[1]
    html = page.html.replace(f"<p>{linked}</p>", f'<p><a href="/24/">{linked}</a></p>')
    assert html != page.html
    monkeypatch.setattr(reader, "judge_lines", None)
    assert linked in (reader.read_page(GenericPage(html, page.url), memory).body or "").split("\n")
