"""Addresses as pages write them are absolute http(s) URLs or None. All spellings of one address have equal parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.errors import UsageError
from crawler.spiders.url_mapping import parse_url_argument
from crawler.text.urls import resolve_url, split_url

PAGE = "https://www.kt.kz/rus/news/list.html"


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("/a.html", "https://www.kt.kz/a.html"),
        ("a.html", "https://www.kt.kz/rus/news/a.html"),
        (" ../a.html\n", "https://www.kt.kz/rus/a.html"),
        ("?page=2", "https://www.kt.kz/rus/news/list.html?page=2"),
        ("//cdn.example/a.jpg", "https://cdn.example/a.jpg"),
        ("//rus/a.html", "https://www.kt.kz/rus/a.html"),
        ("www.kt.kz/a.html", "https://www.kt.kz/a.html"),
        ("HTTP://Example.org./a", "http://Example.org./a"),
        ("http://[::1]:80/a", "http://[::1]:80/a"),
        ("https://пример.kz/a", "https://пример.kz/a"),
        ("https:\\\\www.kt.kz\\a.html?b=\\", "https://www.kt.kz/a.html?b=\\"),
        ("//127.0.0.1:1\\@evil.example/", "https://127.0.0.1:1/@evil.example/"),
        ("https://www.gov.kz@evil.example/a", "https://evil.example/a"),
        ("https://user:geheim@example.org:8443/a?b#c", "https://example.org:8443/a?b#c"),
        ("/a\ufe0f\u3164я\u200b.jpg", "https://www.kt.kz/a%EF%B8%8F%E3%85%A4я%E2%80%8B.jpg"),
        ("/a\x1b[31m\u202e\ud800.jpg", "https://www.kt.kz/a%1B[31m%E2%80%AE%3F.jpg"),
    ],
)
def test_address_is_absolute(address: str, url: str) -> None:
    assert resolve_url(address, PAGE) == url


@pytest.mark.parametrize(
    "address",
    [
        *("http://[photo]/a.jpg", "http://[", "//[x/a", "http://a:b/", "http://a:99999/", "https://", "http:///a"),
        *(
            "http://<b>x</b>/",
            "http://a b/",
            "http://gov.kz%5C@evil.example/",
            "http://ab\u2100.kz/",
            "mailto:a@kt.kz",
            "javascript:void(0)",
        ),
        *("data:image/gif;base64,R0lG", "ftp://kt.kz/a", "file:///etc/passwd", "", " ", None),
    ],
)
def test_no_web_address_is_none(address: str | None) -> None:
    assert resolve_url(address, PAGE) is None
    if address:
        assert resolve_url("a.html", address) is None or address.startswith("http://a:")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "http://[",
            "https://[::1",
            "",
            "x",
            "https://",
            "https://a b.kz/",
            "https://kt.kz:99999/",
            "https://kt.kz:x/",
        ),
        *("ftp://kt.kz/a", "file:///etc/passwd", "javascript:alert(1)", "//kt.kz/a", "www.kt.kz/a", "http://\u200b/"),
        *("https://user:geheim@kt.kz/a", "https://geheim@kt.kz/a", "\x1b[2J", "[" * 10_000),
    ],
)
def test_an_argument_that_is_no_web_address_is_one_short_sentence(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_url_argument(text)
    message = str(caught.value)
    assert "geheim" not in message
    assert len(message) < 400
    assert message.isprintable()


def test_an_argument_is_a_whole_web_address() -> None:
    assert parse_url_argument(" https://www.kt.kz/rus/a.html?b=1 ") == "https://www.kt.kz/rus/a.html?b=1"
    assert parse_url_argument("http://127.0.0.1:8000/a") == "http://127.0.0.1:8000/a"


@given(st.text() | st.text().map("http://".__add__) | st.text().map("//[".__add__), st.text() | st.just(PAGE))
def test_any_text_is_a_web_address_or_none(address: str, base: str) -> None:
    url = resolve_url(address, base)
    assert url is None or (url.startswith(("http://", "https://")) and url.isprintable())
    split_url(address)


SAME = ("kt.kz", "/rus/press-materialy/a_1377991204.html", "")


@pytest.mark.parametrize(
    "url",
    [
        "https://kt.kz/rus/press-materialy/a_1377991204.html",
        "https://kt.kz//rus///press-materialy/a_1377991204.html",
        "https://kt.kz/rus/press-materialy/a_1377991204.html;jsessionid=0A1B.x-1",
        "https://kt.kz/rus;JSESSIONID=1/press-materialy/a_1377991204.html;phpsessid=2",
        "https://kt.kz/rus/press%2Dmaterialy/%61%5f1377991204%2ehtml",
        "https://kt.kz./rus/press-materialy/a_1377991204.html",
        "http://m.kt.kz/rus/press-materialy/a_1377991204.html",
        "https://M.KT.KZ.:443/rus/press-materialy/a_1377991204.html/",
    ],
)
def test_spellings_of_one_address_have_equal_parts(url: str) -> None:
    assert split_url(url) == SAME


@pytest.mark.parametrize("path", ["/новость", "/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D1%8C", "/%d0%bd%d0%beвость"])
def test_letters_are_escaped_in_one_way(path: str) -> None:
    assert split_url(f"https://kt.kz{path}")[1] == "/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D1%8C"


@pytest.mark.parametrize(
    ("path", "kept"), [("/a%2fb", "/a%2Fb"), ("/a%", "/a%"), ("/a;b=1", "/a;b=1"), ("/a b", "/a%20b")]
)
def test_other_signs_keep_their_meaning(path: str, kept: str) -> None:
    assert split_url(f"https://kt.kz{path}") == ("kt.kz", kept, "")


def test_host_that_is_only_a_letter_before_the_domain_is_kept() -> None:
    assert split_url("https://m.kz/a") == ("m.kz", "/a", "")


def test_host_is_in_ascii_and_keeps_an_unusual_port() -> None:
    assert split_url("https://Пример.рф/a") == split_url("http://xn--e1afmkfd.xn--p1ai:80/a")
    assert split_url("https://gov.kz.:8443/a") == ("gov.kz:8443", "/a", "")
    long_label = "я" * 70
    assert split_url(f"https://{long_label}.kz/a")[0] == f"{long_label}.kz"
