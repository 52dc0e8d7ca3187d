"""Sources of platforms that a file in `sources/` names: Telegram, WordPress, feeds with texts, gov.kz, PDF releases."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from html import escape
from io import BytesIO
from pathlib import Path

import pytest
from support.gov_site import GovSite
from support.http_server import SiteReply, SiteRequest
from support.local_site import LocalSite
from support.sandbox import CommandResult, Sandbox

from crawler.items import Article

TEXT = "Су тасқынынан кейін көпір жөнделді. Ауылға көлік қайта жүре бастады, ал дүкендерге нан мен су жеткізілді."


class AnsweringSite(LocalSite):
    """A site that one function answers."""

    def __init__(self, answer_path: Callable[[str, SiteRequest], SiteReply | None]) -> None:
        self.answer_path = answer_path
        super().__init__(0)

    def make_article(self, number: int) -> None:  # type: ignore[override]
        raise AssertionError

    def make_empty_reply(self, request: SiteRequest) -> SiteReply:
        return SiteReply("", status=404)

    def answer(self, request: SiteRequest) -> SiteReply:
        return self.answer_path(request.path, request) or SiteReply("<p>404</p>", status=404)


@contextmanager
def serve(folder: Path, answer: Callable[[str, SiteRequest], SiteReply | None], lines: str) -> Iterator[Sandbox]:
    """Serve a site, and describe it as the source `here`."""
    with AnsweringSite(answer) as site:
        place = Sandbox(folder, {"here": site})
        write_definition(place, lines)
        yield place


def write_definition(place: Sandbox, lines: str) -> None:
    folder = place.work_dir / "sources"
    folder.mkdir(parents=True, exist_ok=True)
    (place.work_dir / "crawler.toml").touch()
    (folder / "here.toml").write_text(f'title = "Here"\n{lines}', encoding="utf-8")


def crawl(place: Sandbox, *words: str, code: int = 0) -> CommandResult:
    ended = place.run_crawler("crawl", "here", *words)
    assert ended.code == code, ended.out + ended.err
    return ended


def get_stored(place: Sandbox) -> dict[str, Article]:
    return {article.native_id: article for article in place.get_articles("here").values()}


# --- Telegram


def make_post(number: int, text: str, *, extra: str = "", meta: str = "", inside: str = "") -> str:
    return (
        f'<div class="tgme_widget_message_wrap"><div class="tgme_widget_message" data-post="Aimaq/{number}">{extra}'
        f'<div class="tgme_widget_message_bubble">{inside}'
        + (f'<div class="tgme_widget_message_text js-message_text" dir="auto">{text}</div>' if text else "")
        + f'<span class="tgme_widget_message_meta">{meta}<a class="tgme_widget_message_date" href="#">'
        f'<time datetime="2026-11-{number:02d}T08:15:00+00:00">08:15</time></a></span></div></div></div>'
    )


REPLY = (
    '<a class="tgme_widget_message_reply" href="https://t.me/Aimaq/1"><div class="tgme_widget_message_text '
    'js-message_reply_text">Бұрынғы хабар</div></a>'
)
ALBUM = "".join(
    f"<a class='tgme_widget_message_photo_wrap' style=\"background-image:url('https://cdn.example/{n}.jpg')\" "
    f"href='https://t.me/Aimaq/{n}?single'></a>"
    for n in (3, 4)
)


def make_channel(*posts: str) -> SiteReply:
    return SiteReply(f"<html><body><main><div class='tgme_channel_history'>{''.join(posts)}</div></main></body></html>")


@pytest.mark.slow
def test_telegram_posts_are_articles_and_an_edit_is_a_revision(tmp_path: Path) -> None:
    texts = {2: f"{TEXT}<br/><br/>Толығырақ кейін."}

    def answer(path: str, request: SiteRequest) -> SiteReply | None:
        if path != "/s/Aimaq":
            return None
        if request.query.get("before"):
            return make_channel(make_post(1, "Бірінші хабар: көпір жабылды, қызметкерлер жолға шықты."))
        edited = "edited &nbsp;" if "Түзету" in texts[2] else ""
        return make_channel(
            make_post(2, texts[2], meta=edited, inside=REPLY),
            make_post(3, "Су деңгейі үш бекетте төмендеді, деп хабарлады басқарма.", inside=ALBUM),
            make_post(5, ""),
        )

    with serve(tmp_path, answer, 'platform = "telegram"\nchannel = "Aimaq"\npages = 2\n') as place:
        crawl(place)
        stored = get_stored(place)
        assert set(stored) == {"1", "2", "3"}
        post = stored["2"]
        assert (post.url, post.title, post.language) == ("https://t.me/Aimaq/2", None, "kk")
        assert post.body == f"{TEXT}\nТолығырақ кейін."
        assert post.published_at is not None
        assert post.published_at.isoformat() == "2026-11-02T13:15:00+05:00"
        assert [image.url for image in stored["3"].images] == ["https://cdn.example/3.jpg", "https://cdn.example/4.jpg"]
        texts[2] = f"{TEXT} Түзету: көпір екеу."
        assert "1 revised" in crawl(place).out
        assert get_stored(place)["2"].body.endswith("екеу.")


def test_telegram_post_with_a_broken_time_is_named(tmp_path: Path) -> None:
    def answer(path: str, request: SiteRequest) -> SiteReply | None:
        posts = [make_post(2, TEXT).replace("2026-11-02T", "yesterday"), make_post(3, TEXT)]
        return make_channel(*posts) if path == "/s/Aimaq" and not request.query.get("before") else None

    with serve(tmp_path, answer, 'platform = "telegram"\nchannel = "Aimaq"\npages = 1\n') as place:
        assert "https://t.me/Aimaq/2: the field 'published_at'" in crawl(place, code=12).out
        assert set(get_stored(place)) == {"3"}


@pytest.mark.slow
def test_telegram_channel_without_preview_is_blocked(tmp_path: Path) -> None:
    def answer(path: str, request: SiteRequest) -> SiteReply | None:
        if path == "/s/Aimaq":
            return SiteReply("", status=302, headers={"Location": "/Aimaq"})
        return SiteReply("<html><body><div class='tgme_page'><a>View in Telegram</a></div></body></html>")

    with serve(tmp_path, answer, 'platform = "telegram"\nchannel = "Aimaq"\n') as place:
        ended = crawl(place, code=11)
        assert "no public preview" in ended.out + ended.err


# --- WordPress


def make_wordpress_post(number: int) -> dict[str, object]:
    return {
        "id": number,
        "date": f"2026-11-{number:02d}T12:00:00",
        "date_gmt": f"2026-11-{number:02d}T07:00:00",
        "link": f"https://wp.example/2026/11/post-{number}/",
        "title": {"rendered": f"Bridge &#8220;{number}&#8221; opens"},
        "content": {"rendered": f"<p>The bridge number {number} was opened.</p>\n<p>It has four lanes.</p>"},
    }


def make_feed(contents: Sequence[tuple[str, str]]) -> str:
    items = "".join(
        f"<item><title>{title}</title><link>https://wp.example/2026/11/{title.lower()}/</link><description>Short</description>"
        f"<pubDate>Mon, 02 Nov 2026 07:00:00 +0000</pubDate><content:encoded>{escape(text)}</content:encoded></item>"
        for title, text in contents
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/">'
        f"<channel><title>x</title><link>https://wp.example</link>{items}</channel></rss>"
    )


@pytest.mark.slow
def test_wordpress_posts_come_whole_from_the_interface_page_by_page(tmp_path: Path) -> None:
    def answer(path: str, request: SiteRequest) -> SiteReply | None:
        if path != "/wp-json/wp/v2/posts":
            return None
        page = int(request.query.get("page", "1"))
        if page > 2:
            return SiteReply('{"code": "rest_post_invalid_page_number"}', status=400, kind="application/json")
        numbers = range(25, 5, -1) if page == 1 else range(5, 0, -1)
        return SiteReply(json.dumps([make_wordpress_post(number) for number in numbers]), kind="application/json")

    with serve(tmp_path, answer, 'platform = "wordpress"\norigin = "https://wp.example"\n') as place:
        crawl(place)
        stored = get_stored(place)
        assert len(stored) == 25
        post = stored["2026/11/post-7"]
        assert (post.title, post.url) == ("Bridge “7” opens", "https://wp.example/2026/11/post-7/")
        assert post.body == "The bridge number 7 was opened.\nIt has four lanes."
        assert post.published_at is not None
        assert post.published_at.isoformat() == "2026-11-07T12:00:00+05:00"


@pytest.mark.slow
def test_wordpress_that_repeats_its_first_page_has_no_further_one(tmp_path: Path) -> None:
    pages: list[str] = []

    def answer(path: str, request: SiteRequest) -> SiteReply | None:
        if path != "/wp-json/wp/v2/posts":
            return None
        pages.append(request.query.get("page", "1"))
        posts = [make_wordpress_post(number) for number in range(25, 5, -1)]
        return SiteReply(json.dumps(posts), kind="application/json")

    with serve(tmp_path, answer, 'platform = "wordpress"\norigin = "https://wp.example"\n') as place:
        crawl(place, "--since", "2020-01-01")
        assert pages == ["1", "2"]
        assert len(get_stored(place)) == 20


@pytest.mark.slow
@pytest.mark.parametrize(("status", "code"), [(400, 0), (500, 10)])
def test_only_a_refused_page_is_the_end_of_wordpress_posts(tmp_path: Path, status: int, code: int) -> None:
    def answer(path: str, request: SiteRequest) -> SiteReply | None:
        if path != "/wp-json/wp/v2/posts":
            return None
        if "page" in request.query:
            return SiteReply('{"code": "rest_post_invalid_page_number"}', status=status, kind="application/json")
        posts = [make_wordpress_post(number) for number in range(25, 5, -1)]
        return SiteReply(json.dumps(posts), kind="application/json")

    with serve(tmp_path, answer, 'platform = "wordpress"\norigin = "https://wp.example"\n') as place:
        crawl(place, "--since", "2020-01-01", code=code)
        assert len(get_stored(place)) == 20


BROKEN_POSTS: list[object] = [
    None,
    7,
    "text",
    {},
    {**make_wordpress_post(2), "link": ["https://wp.example/a/"]},
    {**make_wordpress_post(3), "link": {"rendered": "x"}},
    {**make_wordpress_post(4), "title": None},
    {**make_wordpress_post(5), "content": {"rendered": 5}},
    {**make_wordpress_post(6), "date_gmt": [2026]},
    {**make_wordpress_post(7), "link": "https://other.example/a/"},
]


@pytest.mark.slow
def test_each_broken_post_is_a_problem_and_the_others_are_stored(tmp_path: Path) -> None:
    def answer(path: str, request: SiteRequest) -> SiteReply | None:
        if path != "/wp-json/wp/v2/posts":
            return None
        return SiteReply(json.dumps([*BROKEN_POSTS, make_wordpress_post(9)]), kind="application/json")

    with serve(tmp_path, answer, 'platform = "wordpress"\norigin = "https://wp.example"\n') as place:
        ended = place.run_crawler("crawl", "here")
        assert (ended.code, f"(and {len(BROKEN_POSTS) - 1} more)" in ended.out) == (12, True), ended.out + ended.err
        assert "https://wp.example/2026/11/post-4/: the field 'post' was looked for with 'link, title" in ended.err
        assert set(get_stored(place)) == {"2026/11/post-9"}


@pytest.mark.slow
def test_wordpress_with_a_closed_interface_is_read_by_its_feed(tmp_path: Path) -> None:
    def answer(path: str, request: SiteRequest) -> SiteReply | None:
        if path == "/feed/":
            kind = "application/rss+xml; charset=utf-8"
            return SiteReply(make_feed([("First", "<p>The whole text of the first post is here.</p>")]), kind=kind)
        return SiteReply('{"code": "rest_disabled"}', status=401, kind="application/json")

    with serve(tmp_path, answer, 'platform = "wordpress"\norigin = "https://wp.example"\n') as place:
        assert "another was read instead" in crawl(place, code=14).out
        assert get_stored(place)["2026/11/first"].body == "The whole text of the first post is here."


@pytest.mark.slow
def test_feed_only_source_stores_what_its_feed_has(tmp_path: Path) -> None:
    asked: list[str] = []

    def answer(path: str, request: SiteRequest) -> SiteReply | None:
        asked.append(path)
        text = "<p>Alpha text of the feed.</p><p>Second paragraph.</p>"
        kind = "application/rss+xml; charset=utf-8"
        return SiteReply(make_feed([("Alpha", text), ("Beta", "")]), kind=kind) if path == "/rss" else None

    lines = (
        'origins = ["https://wp.example"]\nstarts = ["https://wp.example/rss"]\n'
        'addresses = ["/{year}/{month}/{slug}/"]\narticles = "feed"\n'
    )
    with serve(tmp_path, answer, lines) as place:
        crawl(place)
        crawl(place)
        stored = get_stored(place)
        assert [article.body for article in stored.values() if article.title == "Alpha"] == [
            "Alpha text of the feed.\nSecond paragraph."
        ]
        assert set(asked) <= {"/rss", "/robots.txt"}


# --- gov.kz


class OtherMinistry(GovSite):
    """The portal, asked for another project than mfa."""

    def answer(self, request: SiteRequest) -> SiteReply:
        if request.body:
            assert json.loads(request.body)["variables"]["projects"] == "eq:mod"
            request = replace(request, body=request.body.replace(b"eq:mod", b"eq:mfa"))
        return super().answer(request)  # type: ignore[return-value]


@pytest.mark.slow
def test_any_ministry_of_the_portal_is_a_source(tmp_path: Path) -> None:
    with OtherMinistry(6) as site:
        place = Sandbox(tmp_path, {"here": site})
        write_definition(place, 'platform = "govkz"\nproject = "mod"\nlanguages = ["ru"]\n')
        crawl(place)
        stored = place.get_articles("here")
        assert stored
        for article in stored.values():
            assert article.url.startswith("https://www.gov.kz/memleket/entities/mod/press/news/details/")


# --- PDF


def make_pdf(pages: Sequence[Sequence[str]], *, is_scan: bool = False) -> bytes:
    from reportlab.pdfgen.canvas import Canvas

    stream = BytesIO()
    canvas = Canvas(stream)
    for number, lines in enumerate(pages, start=1):
        if not is_scan:
            canvas.drawString(72, 800, "Ministry of Roads")
            for row, line in enumerate(lines):
                canvas.drawString(72, 760 - 16 * row, line)
            canvas.drawString(280, 40, f"Page {number} of {len(pages)}")
        canvas.rect(10, 10, 20, 20)
        canvas.showPage()
    canvas.save()
    return stream.getvalue()


PDF_PAGES = (
    (
        "Bridge over the river opens to traffic",
        "21 November 2026",
        "The ministry opened the bridge on Saturday, and the first lorries crossed it at noon,",
        "while the old ferry made its last trip.",
    ),
    (
        "The bridge has four lanes and cost less than the ministry had planned two years ago.",
        "Cyclists may use it too.",
    ),
)


@pytest.mark.parametrize("is_scan", [False, True], ids=["text", "scan"])
def test_pdf_releases_are_read_and_a_scan_is_named(tmp_path: Path, is_scan: bool) -> None:
    pytest.importorskip("reportlab")

    def answer(path: str, request: SiteRequest) -> SiteReply | None:
        if path == "/releases/":
            return SiteReply("<html><body><h1>Releases</h1><a href='/files/release-7.pdf'>Bridge</a></body></html>")
        if path == "/files/release-7.pdf":
            return SiteReply(make_pdf(PDF_PAGES, is_scan=is_scan), kind="application/pdf")
        return None

    lines = (
        'origins = ["https://roads.example"]\nstarts = ["https://roads.example/releases/"]\n'
        'addresses = ["/files/release-{number}.pdf"]\nidentity = "{number}"\n'
    )
    with serve(tmp_path, answer, lines) as place:
        ended = crawl(place, code=12 if is_scan else 0)
        if is_scan:
            assert "the PDF is a scan, 2 pages of pictures without text" in ended.out + ended.err
            return
        article = get_stored(place)["7"]
        assert article.title == PDF_PAGES[0][0]
        assert article.published_at is not None
        assert article.published_at.date().isoformat() == "2026-11-21"
        assert article.body.splitlines() == [
            f"{PDF_PAGES[0][2]} {PDF_PAGES[0][3]}",
            f"{PDF_PAGES[1][0]} {PDF_PAGES[1][1]}",
        ]
