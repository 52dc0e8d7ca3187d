"""Refusals, outages and shells raise their error. Pages that only look like one are read."""

from __future__ import annotations

import pytest

from crawler.errors import Blocked, NotAnArticle, Unreachable
from crawler.pages import refusal
from crawler.pages.snapshot import Snapshot

URL = "https://example.org/news/1"
ARTICLE = "<html><head><title>News</title></head><body><p>The bridge is open.</p></body></html>"


def make_page(text: str = ARTICLE, status: int = 200, kind: str = "html") -> Snapshot:
    return Snapshot(url=URL, body=text.encode(), status=status, kind_hint=kind)


@pytest.mark.parametrize("status", [401, 403, 429, 451])
def test_refusing_status_is_blocked(status: int) -> None:
    with pytest.raises(Blocked, match=f"HTTP {status}, saying 'News The bridge is open.'") as caught:
        refusal.raise_if_refused(make_page(status=status))
    assert caught.value.url == URL


def test_refusal_without_a_word_is_blocked() -> None:
    with pytest.raises(Blocked, match=r"refused us with HTTP 403\. "):
        refusal.raise_if_refused(make_page("", status=403))


@pytest.mark.parametrize("body", ['{"code": "notAllowed"}', '{"error":"NOTALLOWED"}'])
def test_gate_of_the_interface_is_blocked(body: str) -> None:
    with pytest.raises(Blocked, match="HTTP 400"):
        refusal.raise_if_refused(make_page(body, status=400, kind="json"))


def test_other_bad_request_is_no_refusal() -> None:
    refusal.raise_if_refused(make_page('{"code": "badQuery"}', status=400, kind="json"))


@pytest.mark.parametrize("status", [404, 410])
def test_gone_is_no_article(status: int) -> None:
    with pytest.raises(NotAnArticle, match=f"HTTP {status}"):
        refusal.raise_if_refused(make_page(status=status))


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 520])
def test_failing_server_is_unreachable(status: int) -> None:
    with pytest.raises(Unreachable, match=f"HTTP {status}"):
        refusal.raise_if_refused(make_page(status=status))


@pytest.mark.parametrize(
    "title",
    [
        "502 Bad Gateway",
        "504 Gateway Time-out",
        "Service Temporarily Unavailable",
        "Service Unavailable",
        "Bad Gateway",
    ],
)
def test_outage_behind_status_200_is_unreachable(title: str) -> None:
    with pytest.raises(Unreachable, match=title):
        refusal.raise_if_refused(make_page(f"<html><head><title>{title}</title></head></html>"))


@pytest.mark.parametrize(
    "title",
    [
        *("500 tenge note withdrawn", "Gateway to the Steppe", "Services for citizens"),
        pytest.param(f"502{' ' * 19_000}News", id="spaces"),
    ],
)
def test_title_that_resembles_an_outage_is_read(title: str) -> None:
    refusal.raise_if_refused(make_page(ARTICLE.replace("News", title)))


CHALLENGES = [
    *(
        "<title>Just a moment...</title>",
        "<title> Attention Required! | Cloudflare</title>",
        "<title>DDoS-Guard</title>",
    ),
    *("<title>Access denied</title>", "<title>Checking your browser</title>", "<title>One more step</title>"),
    *('<form id="cf-chl-widget">', '<script src="/cdn-cgi/challenge-platform/h/b"></script>'),
    *(
        '<script src="https://challenges.cloudflare.com/turnstile"></script>',
        "<script>document.cookie='__ddg1_=x'</script>",
    ),
    *(
        '<iframe src="/_Incapsula_Resource?x=1"></iframe>',
        '<script src="https://ct.captcha-delivery.com/c.js"></script>',
    ),
    *("<p>Checking if the site connection is secure</p>", "<p>Checking your browser before accessing the site</p>"),
    *("<p>Verify you are human</p>", "<p>Verifying that you are a human</p>", "<p>Verify that you are human</p>"),
]


@pytest.mark.parametrize("status", [200, 403, 503])
@pytest.mark.parametrize("sign", CHALLENGES)
def test_challenge_is_blocked_whatever_its_status(sign: str, status: int) -> None:
    with pytest.raises(Blocked, match="challenge page"):
        refusal.raise_if_refused(make_page(f"<html><body>{sign}</body></html>", status=status))


def test_challenge_as_text_is_blocked() -> None:
    with pytest.raises(Blocked, match="challenge page"):
        refusal.raise_if_refused(make_page("Checking your browser before accessing kt.kz", kind="text"))


def test_full_page_with_a_captcha_script_is_read() -> None:
    script = '<script src="https://challenges.cloudflare.com/turnstile"></script>'
    refusal.raise_if_refused(make_page(ARTICLE.replace("<body>", f"<body>{script}") + "<p>more</p>" * 8_000))


def test_article_that_quotes_a_challenge_far_down_is_read() -> None:
    refusal.raise_if_refused(make_page(ARTICLE + " " * refusal.MAX_SEARCHED_CHARACTERS + "Verify you are human"))


def test_article_about_blocking_is_read() -> None:
    refusal.raise_if_refused(make_page(ARTICLE.replace("News", "Why access was denied to the archive")))


def test_good_page_passes() -> None:
    refusal.raise_if_refused(make_page())


def test_shell_is_recognised_by_its_line() -> None:
    assert refusal.is_javascript_shell(make_page("<noscript>You need to enable JavaScript to run this app.</noscript>"))
    assert not refusal.is_javascript_shell(make_page())
    assert "only a JavaScript shell" in str(refusal.make_shell_error(URL))


COOKIE_TEST = (
    "<html><body>Loading site please wait...<script>document.cookie='a='+make();location.href='/';</script>{}</body>"
)
FORM = "<form><p>{}</p><input name=u><input type='password' name=p><button>Sign in</button></form>"
SHORT_NEWS = "<p>The bridge is open.</p>"
LONG_NEWS = f"<p>{'The bridge over the river is open. ' * 7}</p>"


def test_cookie_test_is_a_challenge() -> None:
    with pytest.raises(Blocked, match="challenge page"):
        refusal.raise_if_refused(make_page(COOKIE_TEST.format("")))
    with pytest.raises(Blocked, match="challenge page"):
        refusal.raise_if_refused(make_page("<script>a=slowAES.decrypt(c,2,a,b)</script>"))


@pytest.mark.parametrize(
    "text",
    [
        COOKIE_TEST.format(LONG_NEWS),
        "<script>document.cookie='lang=ru'</script><script>if (location == top.location) start()</script><div></div>",
    ],
)
def test_page_that_sets_a_cookie_is_read(text: str) -> None:
    refusal.raise_if_refused(make_page(text))


@pytest.mark.parametrize(
    ("url", "text"),
    [
        (
            URL,
            f"<header><a href='/'>Herald</a>{'<a>Menu</a>' * 60}</header><div>{FORM.format('For subscribers')}</div>",
        ),
        ("https://example.org/accounts/login/?next=/news/1", LONG_NEWS + FORM.format("")),
        ("https://example.org/wp-login.php", FORM.format("")),
        ("https://example.org/wp-login.php", FORM.format("").upper()),
    ],
)
def test_page_for_signing_in_is_blocked(url: str, text: str) -> None:
    with pytest.raises(Blocked, match="asks visitors to sign in"):
        refusal.raise_if_refused(Snapshot(url=url, body=text.encode(), kind_hint="html"))


@pytest.mark.parametrize(
    "text",
    [
        FORM.format("") + LONG_NEWS,
        f"<header>{FORM.format('')}</header>{SHORT_NEWS}",
        f"<div class='modal fade' id='auth'>{FORM.format('')}</div>{SHORT_NEWS}",
        f"<div class='site-header__top'>{FORM.format('')}</div>{SHORT_NEWS}",
        "<p>Write type=password into the field of a form.</p>",
    ],
)
def test_page_with_a_form_beside_its_text_is_read(text: str) -> None:
    refusal.raise_if_refused(make_page(text))


def test_article_about_signing_in_is_read() -> None:
    refusal.raise_if_refused(Snapshot(url="https://example.org/login", body=ARTICLE.encode(), kind_hint="html"))
