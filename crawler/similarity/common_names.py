"""Names that say little about an event here: countries, capitals, offices, organisations, media.

The weights stand in for an inverse document frequency, so that a pair can be judged without knowing any other text and
a verdict never depends on what happens to be stored.
"""

from __future__ import annotations

from crawler.text.transliteration import make_skeletons

MEDIA = """
Kazinform Qazinform Казинформ Акорда Ақорда Akorda Sputnik Спутник Zakon Закон Tengrinews Тенгриньюс Baq Qazmonitor
Reuters Рейтер AFP ТАСС Tass Интерфакс Interfax РИА Новости Associated Press Agence Presse Франс Пресс CNN BBC
Informburo Информбюро Казправда Kazpravda Власть Vlast Jazeera Guardian Times NewTimes DKNews Newtimes Telegram Facebook
Instagram Youtube Twitter Фото Photo Сурет Video Видео Источник Source Report Reports Euronews Xinhua Синьхуа Anadolu
"""
"""Whoever tells the news is not in it: these weigh nothing."""

PLACES = """
Казахстан Kazakhstan Қазақстан Kazakh Казахстанский Астана Astana Нур-Султан Алматы Almaty Россия Russia Ресей Russian
Российский США USA America Американский Китай China Қытай Chinese Европа Europe Европейский Еуропа European Азия Asia
Израиль Israel Israeli Украина Ukraine Украинский Палестина Palestine Палестинский Palestinian Женева Geneva Женевский
"""
"""Named in many stories, but two leads that name different ones tell of different events."""

COMMON = """
Республика Republic Республикасы РК ҚР RK Central Центральная Орталық Ближний Восток Middle East Шығыс
Глава Президент President Президенті Министр Minister Министерство Ministry Министрлігі Правительство Government Үкімет
Госсекретарь Депутат Посол Ambassador Елші Мемлекет Head State Chief Director General Foreign Affairs Prime Deputy First
Комитет Committee Комитеті Международный International Халықаралық Общество Society Қоғам Федерация Federation
Организация Organization Organisation Ұйымы Национальный National Ұлттық Совет Council Кеңес Конференция Conference
Красный Red Қызыл Крест Cross Полумесяц Crescent МККК ICRC ХҚКК Конвенция Convention Conventions Региональный Regional
Объединенных Наций ООН United Nations БҰҰ Устав Charter Генеральная Ассамблея МИД MFA СІМ МЧС ТЖМ Глобальный Global
Инициатива Initiative Жаһандық Law Humanitarian Гуманитарный Гуманитарлық Human Rights High Level Фонд Fund Қоры
Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April June July August September October
November December English World New The This That These Those They There Their When What While With Under After Before
During According Also Earlier Among For Парламент Parliament Сенат Senate Мажилис Mazhilis Board Commission Комиссия
"""
"""Offices and organisations that stand in too many of these stories to tell two of them apart."""

LEADERS = "Токаев Tokayev Тоқаев Касым Kassym Қасым Жомарт Jomart Кемелевич"
"""Named in most of these stories: sharing them says little, but they tell who hosts."""


def _make_forms(listed: str) -> frozenset[str]:
    return frozenset(form for word in listed.replace("-", " ").split() for form in make_skeletons(word))


_MEDIA, _PLACES, _COMMON, _LEADERS = map(_make_forms, (MEDIA, PLACES, COMMON, LEADERS))
_BY_LENGTH = {3: 1.5, 4: 2.0, 5: 2.5}


def get_shared_weight(forms: frozenset[str]) -> float:
    """What a name says when two texts share it: 0 for media, little for commonplaces, up to 3 for a long rare one."""
    if forms & _MEDIA:
        return 0.0
    return 0.3 if forms & (_COMMON | _PLACES | _LEADERS) else _get_weight_by_length(forms)


def get_unshared_weight(forms: frozenset[str]) -> float:
    """What a name says when only one of two leads has it: nothing for offices and media."""
    if forms & (_MEDIA | _COMMON):
        return 0.0
    return 1.5 if forms & (_PLACES | _LEADERS) else _get_weight_by_length(forms)


def _get_weight_by_length(forms: frozenset[str]) -> float:
    return _BY_LENGTH.get(max(len(form.lstrip("~")) for form in forms), 3.0)
