"""Lines of the page around an article are removed one by one; sentences with such words stay."""

from __future__ import annotations

from time import thread_time

import pytest

from crawler.pages.blocks import Block
from crawler.pages.boilerplate import is_boilerplate, remove_boilerplate


def keep_lines(*lines: str) -> list[str]:
    return [line.text for line in remove_boilerplate([Block(line) for line in lines])]


@pytest.mark.parametrize(
    "line",
    [
        *("Читайте также", "Читайте также: Мост закрыт", "Смотрите ещё: Река", "По теме:", "Похожие новости"),
        *("Read also: Bridge closed", "Read more", "See also:", "Related articles", "You may also like"),
        *("Тағы оқыңыз: Көпір", "Сондай-ақ оқыңыз", "Барлық жаңалықтар", "Все новости"),
        *("Количество просмотров: 61", "Просмотров: 1 204", "12 просмотров", "Просмотры 12", "Комментариев: 0"),
        *("Views: 1,204", "12 views", "Comments (3)", "Қаралым: 12", "Қаралды: 12 рет", "Пікірлер саны: 3"),
        *("Cookie policy", "Cookies settings", "We use cookies to improve this site.", "Политика cookie"),
        *("Мы используем файлы cookie, чтобы сайт работал лучше.", "Біз cookie файлдарын қолданамыз."),
        *("Рассказать друзьям", "Поделиться", "Share this article", "Share on Facebook", "Бөлісу"),
        *("Подписывайтесь на наш Telegram-канал", "Follow us on X", "Copy link", "Версия для печати"),
        *("Отправить", "Введите ваш e-mail", "Submit", "Leave a comment", "Пікір қалдыру", "Показать ещё"),
        *("Ваш браузер не поддерживает видео.", "Your browser does not support the video tag."),
        *("Сіздің браузеріңіз бейнені қолдамайды.", "You need to enable JavaScript to run this app."),
        *("Images | depositphotos", "Фото: пресс-служба", "Photo: A. Serik", "Сурет: ҚазАқпарат", "© Kazinform"),
        *("Читать далее", "Ранее по теме", "Подробнее: https://www.kt.kz/1", "Рекомендуем", "Толығырақ"),
        *("Related: Bridge closed", "Continue reading", "Next article", "Click here to read more", "Нет комментариев"),
        *("👁 1 204", "Просмотры: 12 | Комментарии: 3", "345 рет қаралды", "3 минуты на чтение", "12 reads"),
        *("Accept all", "Privacy policy", "Cookie файлдарын пайдаланамыз", "Политика конфиденциальности"),
        *("Facebook Twitter Telegram", "WhatsApp", "Мы в Telegram", "Следите за нами в соцсетях: @kt_kz", "Tweet"),
        *("Телеграм каналымызға жазылыңыз", "Подписаться на новости", "Печать", "Print", "Басып шығару"),
        *("Ваше имя*", "Your email address will not be published.", "Пікір жазу", "← Назад", "К списку новостей"),
        *("Нашли ошибку? Выделите её и нажмите Ctrl+Enter", "Found a typo? Let us know", "Қате тапсаңыз, хабарлаңыз"),
        *("Браузеріңіз бейнені қолдамайды.", "Video is not supported by this browser.", "Видео недоступно"),
        *("(Фото: ICRC)", "Фото из открытых источников", "Иллюстративное фото: pixabay.com", "Cover photo: Unsplash"),
        *("Источник фото: МИД РК", "Сурет дереккөзі: ҚР СІМ", "Photo courtesy of the ministry", "Алматы / Reuters"),
        *("Теги: мост, река", "Tags: bridge", "Тегтер: көпір", "Реклама", "Advertisement", "Жарнама құқығында"),
        *("Опубликовано: 19.11.2026", "Обновлено 20 ноября 2026, 10:15", "Last updated: 20 November 2026"),
        *("Жарияланды: 2026 жылғы 19 қараша", "All rights reserved", "Барлық құқықтар қорғалған"),
        *("QazMonitor Logo", "Разработано в АО «НИТ»", "function (window) {", "(function(){var a=1})();"),
    ],
)
def test_line_around_an_article_is_removed(line: str) -> None:
    assert keep_lines("Мост открыт.", line, "Он длинный.") == ["Мост открыт.", "Он длинный."]


@pytest.mark.parametrize(
    "line",
    [
        "В рубрике «Читайте также» появилась заметка о мосте.",
        "Министр сказал: «Читайте также стихи Абая».",
        "Все новости о мосте собраны в одном месте.",
        "Посол напомнил, что количество просмотров ролика выросло.",
        "Он просил рассказать друзьям о мосте.",
        "Читайте также стихи Абая, сказал министр.",
        "Количество просмотров ролика превысило миллион.",
        "Приложение разработано в АО «НИТ» за год.",
        "Cookie policy of the union has changed.",
        "The ministry has a new function (press officer).",
        "The cookie policy of bakeries is generous.",
        "Разработано восемь правил.",
        "Если a < b и b > c, то a и c не сравнимы.",
        "Цена выросла с <100 до >200 тенге.",
        "Mr. Pratt <press@example.org> wrote it.",
        "The QazMonitor logotype was drawn anew.",
        "Фото и видео переданы в архив.",
        "Фото – это память, сказал министр.",
        "По теме воды выступили трое.",
        "Просмотров стало больше.",
        "Share prices rose by 3 percent.",
        "Search teams found ten people.",
        "Поиск пропавших продолжается.",
        "Сайт министерства посетили тысячи.",
        "12 комментаторов приехали в Астану.",
        "Читать далее он не стал.",
        "Рекомендуем министерству пересмотреть решение.",
        "Без комментариев.",
        "Поделитесь вашими планами?",
        "Мы в Telegram узнали о визите.",
        "Telegram и WhatsApp ограничат работу.",
        "Печать поставили на договор.",
        "Назад в будущее",
        "Нашли ошибку в расчётах инженеры завода.",
        "Увидели ошибку и исправили её, сообщил депутат.",
        "Фото из архива музея передали школе.",
        "Источник изображения неизвестен.",
        "Опубликовано 12 книг о войне.",
        "Обновлено 15 школ и 3 больницы.",
        "Реклама табака запрещена.",
        "Updated the list on 3 May",
        "Published 12 books about law.",
        "Pears / apples",
        "Video not available to the court was later found.",
        "Return to home soil.",
        "Comments: the minister welcomed the draft.",
        "Жарияланды деген мәлімет расталмады.",
        "Қате тапсаңыз, түзетіңіз, деді мұғалім.",
        "Қабылдау комиссиясы жұмыс істейді.",
    ],
)
def test_sentence_with_such_words_stays(line: str) -> None:
    assert keep_lines("Мост открыт.", line) == ["Мост открыт.", line]


def test_time_is_linear() -> None:
    lines = ["просмотров " * 27, "1 " * 140, "we use " * 40, "фото: " * 45, "a " * 145] * 200
    start = thread_time()
    assert not any(is_boilerplate(line) for line in lines)
    assert thread_time() - start < 5
