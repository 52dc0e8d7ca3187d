"""The language of short texts of the region and of others."""

from __future__ import annotations

import pytest

from crawler.generic.article_language import find_article_language


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Президент өлкөнүн башчысы менен жолукту жана сүйлөштү", "ky"),
        ("Бул тууралуу министрлик билдирди, анын айтымында жол ачык", "ky"),
        ("Жаңы мыйзам боюнча талкуу бүгүн болду", "ky"),
        ("Президент бүгін көрші елдің басшысымен кездесті және келісімге қол қойды", "kk"),
        ("Ўзбекистон ва қўшни давлатлар ўртасида янги келишув имзоланди", "uz"),
        ("Vazir bugun elchilar bilan uchrashdi va yangi loyihalar haqida gapirdi", "uz"),
        ("Раиси ҷумҳур имрӯз бо сафирон мулоқот намуд ва дар бораи ҳамкорӣ гуфт", "tg"),
        ("Министр сегодня принял послов и обсудил с ними новые проекты", "ru"),
        ("Президент Садыр Жапаров провёл встречу с главой МИД Кыргызстана", "ru"),
        ("The minister met the ambassadors and spoke about new projects of the region", "en"),
    ],
)
def test_the_language_is_found(text: str, code: str) -> None:
    found = find_article_language(text)
    assert found is not None
    assert found.code == code


def test_without_a_text_the_page_decides() -> None:
    found = find_article_language("", "kk")
    assert found is not None
    assert (found.code, found.origin) == ("kk", "html lang")
    assert find_article_language("") is None
