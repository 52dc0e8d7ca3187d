"""Dates are parsed completely or not at all, with the offset of Kazakhstan on that day."""

from __future__ import annotations

import copy
import pickle
import re
import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crawler.text.dates import convert_to_zone, load_time_zone, parse_date
from crawler.text.months import get_month_numbers, get_weekdays

MONTHS = get_month_numbers()
ALMATY = load_time_zone("Asia/Almaty")
NAMES = {
    "en": "January February March April May June July August September October November December".split(),
    "ru": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря".split(),
    "kk": "қаңтар ақпан наурыз сәуір мамыр маусым шілде тамыз қыркүйек қазан қараша желтоқсан".split(),
}
FORMS = {
    "en": ("{day:02} {month}, {year} | {time}", "{month} {day}, {year}, {time}", "{day} {month} {year} {time}"),
    "ru": ("{day} {month} {year} {time}", "{day} {month} {year} года, {time}", "{day} {month} {year} г. в {time}"),
    "kk": ("{day} {month} {year} {time}", "{year} жылғы {day} {month} {time}", "{day} {month} {year} ж. {time}"),
    "digits": ("{day:02}.{number:02}.{year}, {time}", "{day:02}.{number:02}.{year} {time}"),
    "iso": ("{year}-{number:02}-{day:02}T{time}", "{year}-{number:02}-{day:02} {time}:00"),
}
DAYS = st.dates(date(1991, 1, 1), date(2099, 12, 31))
WALL = st.builds(datetime.combine, DAYS, st.builds(time, st.integers(0, 23), st.integers(0, 59)))
WORDS_OF_DATES = {*get_weekdays(), *("a", "p", "m", "am", "pm", "z", "ut", "utc", "gmt")}
WORDS_OF_DATES |= {f"{zone}{half}t" for zone in "ecmp" for half in "sd"}
FORM = st.sampled_from([(language, form) for language, forms in FORMS.items() for form in forms])


def format_date(at: datetime, language: str, form: str) -> str:
    month = NAMES.get(language, NAMES["en"])[at.month - 1]
    return form.format(day=at.day, month=month, number=at.month, year=at.year, time=f"{at:%H:%M}")


def test_a_time_zone_can_be_copied_and_pickled() -> None:
    time = datetime(2026, 3, 6, 12, 0, tzinfo=ALMATY)
    for again in (copy.deepcopy(time), pickle.loads(pickle.dumps(time))):
        assert again == time
        assert again.tzinfo is ALMATY


def test_time_zones_do_not_come_from_the_system(tmp_path: Path) -> None:
    noon = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
    wrong = tmp_path / "Asia" / "Almaty"
    wrong.parent.mkdir()
    wrong.write_bytes(resources.files("tzdata.zoneinfo").joinpath("Asia", "Tokyo").read_bytes())
    zoneinfo.reset_tzpath([tmp_path])
    try:
        assert noon.astimezone(load_time_zone.__wrapped__("Asia/Almaty")).utcoffset() == timedelta(hours=5)
    finally:
        zoneinfo.reset_tzpath()


@pytest.mark.parametrize("name", ["", "Mars/Base", "Asia", "../zoneinfo/Asia/Almaty", "/etc/localtime", "zone.tab"])
def test_unknown_time_zones_raise(name: str) -> None:
    with pytest.raises(ValueError, match="is no time zone name such as Asia/Almaty"):
        load_time_zone(name)


@given(WALL, FORM)
def test_written_date_is_read_back(at: datetime, form: tuple[str, str]) -> None:
    when = parse_date(format_date(at, *form), ALMATY)
    assert when is not None
    assert when.at.replace(tzinfo=None) == at
    assert when.precision == "minute"
    assert when.at.utcoffset() == at.replace(tzinfo=ALMATY).utcoffset()


@given(WALL, FORM, st.text(min_size=1, max_size=12), st.booleans())
def test_date_with_anything_more_is_none(at: datetime, form: tuple[str, str], more: str, before: bool) -> None:
    assume(more.strip(" .") and not set(more) & set("0123456789"))
    text = format_date(at, *form)
    assume((" ".join(f"{text} {more}".split())) != text)
    words = set(re.findall(r"[^\W\d_]+", more.lower()))
    assume(not words or not words <= WORDS_OF_DATES)
    assert parse_date(f"{more} {text}" if before else f"{text} {more}", ALMATY) is None


@given(st.text())
def test_any_text_is_a_date_or_none(text: str) -> None:
    when = parse_date(text, ALMATY)
    assert when is None or when.at.tzinfo is not None


@given(st.text(alphabet="0123456789.-:T +Zмаяжan, |г", max_size=24))
def test_text_that_looks_like_a_date_is_a_date_or_none(text: str) -> None:
    when = parse_date(text, ALMATY)
    assert when is None or when.raw == " ".join(text.split())


@pytest.mark.parametrize(
    ("raw", "iso", "precision"),
    [
        ("08 February, 2023 | 10:28", "2023-02-08T10:28:00+06:00", "minute"),
        ("13 июля 2026 17:29", "2026-07-13T17:29:00+05:00", "minute"),
        ("2026 жылғы 6 наурыз", "2026-03-06T00:00:00+05:00", "day"),
        ("6 марта 2026 года", "2026-03-06T00:00:00+05:00", "day"),
        ("3 мая 2018 год", "2018-05-03T00:00:00+06:00", "day"),
        ("February 20, 2025", "2025-02-20T00:00:00+05:00", "day"),
        ("28 Қараша 2026, 09:00| Оқылды: 211", "2026-11-28T09:00:00+05:00", "minute"),
        ("28 ноября 2026, 5 просмотров", "2026-11-28T00:00:00+05:00", "day"),
        ("28.11.2026 09:00 Просмотров: 1 205 | Комментариев: 2", "2026-11-28T09:00:00+05:00", "minute"),
        ("Nov 28, 2026 • 5 views", "2026-11-28T00:00:00+05:00", "day"),
        ("14:05 / 28.11.2026 Ko‘rildi: 211", "2026-11-28T14:05:00+05:00", "minute"),
        ("14:05 / 03.12.2025", "2025-12-03T14:05:00+05:00", "minute"),
        ("03.12.2025 · 14:05", "2025-12-03T14:05:00+05:00", "minute"),
        ("03.12.2025, 14:05", "2025-12-03T14:05:00+05:00", "minute"),
        ("2026-06-09T11:48:00Z", "2026-06-09T16:48:00+05:00", "minute"),
        ("2026-02-17T10:00:00.000+00:00", "2026-02-17T15:00:00+05:00", "minute"),
        ("2026-02-17 10:00:00 UTC", "2026-02-17T15:00:00+05:00", "minute"),
        ("2026-02-17 10:00:00 +0000 UTC", "2026-02-17T15:00:00+05:00", "minute"),
        ("2026-02-17", "2026-02-17T00:00:00+05:00", "day"),
        ("Thu, 11 Jun 2026 16:20:00 +0500", "2026-06-11T16:20:00+05:00", "minute"),
        ("Wed, 08 Feb 2023 04:28:00 GMT", "2023-02-08T10:28:00+06:00", "minute"),
        ("Mon, 30 Nov 2026 10:00:00 EST", "2026-11-30T20:00:00+05:00", "minute"),
        ("Mon, 30 Nov 2026 10:00:00 PDT", "2026-11-30T22:00:00+05:00", "minute"),
        ("Wed, 08 Feb 2023 04:28:00 -0000", "2023-02-08T10:28:00+06:00", "minute"),
    ],
)
def test_forms_seen_on_the_sites(raw: str, iso: str, precision: str) -> None:
    when = parse_date(raw, ALMATY)
    assert when is not None
    assert (when.at.isoformat(), when.precision, when.raw) == (iso, precision, raw)


@pytest.mark.parametrize(
    "raw",
    [
        *("", "today", "вчера, 14:05", "10:28", "2023", "February 2023", "март 2026 года", "8 February"),
        *(
            "31 февраля 2026",
            "30.02.2025",
            "2025-02-30",
            "12 June 2026 25:00",
            "12 June 2026 10:61",
            "00.01.2025, 10:00",
        ),
        *(
            "13 июля 2026 17:29 | 61",
            "Астана, 6 марта 2026 года",
            "6 марта 2026 года – встреча",
            "from 8 February, 2023",
        ),
        *("08/02/2023", "2/8/23", "8 Fevrier 2023", "8 февраля 23", "2026-06-09T11:48:00Z (updated)", "2026-13-01"),
        *("12.06.2026 - 13.06.2026", "12-13 июня 2026", "June 12 and 13, 2026", "99.99.9999"),
        *("Thu, 99 Jun 2026 16:20:00 +0500", "Thu, 11 Xyz 2026 16:20:00 +0500", "Thu, 11 Jun 2026 16:20:00 +9999"),
        *("Thu, 11 Jun 2026 16:20:00 ALMT", "Mon, 01 Jan 0001 00:00:00 GMT", "0001-01-01T00:00:00+05:00"),
        *("9999-12-31T23:59:00-10:00", "0000-01-01", "2026-W01-1", "12 июня 2026 ²:30", "2026-06-09 GMT"),
        "Thu, 11 Jun 2026 16:20:00 MSK",
    ],
)
def test_other_text_is_no_date(raw: str) -> None:
    assert parse_date(raw, ALMATY) is None


@pytest.mark.parametrize("name", [*MONTHS, *(name.upper() for name in MONTHS), *(name.title() for name in MONTHS)])
def test_every_month_is_read_in_any_case(name: str) -> None:
    when = parse_date(f"5 {name} 2026 10:00", ALMATY)
    assert when is not None
    assert when.at.month == MONTHS[name.lower()]


def test_every_language_has_twelve_months() -> None:
    for names in NAMES.values():
        assert [MONTHS[name.lower()] for name in names] == list(range(1, 13))


@pytest.mark.parametrize(
    ("wall", "offset"),
    [
        ("29.02.2024, 22:59", 6),
        ("29.02.2024, 23:00", 6),  # this hour came twice: the first of the two is meant
        ("29.02.2024, 23:59", 6),
        ("01.03.2024, 00:00", 5),
        ("01.03.2024, 00:30", 5),
        ("04.02.2024, 20:10", 6),
        ("01.07.2010, 12:00", 6),
        ("12.06.2026, 10:05", 5),
    ],
)
def test_offset_around_the_change_of_2024(wall: str, offset: int) -> None:
    when = parse_date(wall, ALMATY)
    assert when is not None
    assert when.at.utcoffset() == timedelta(hours=offset)


def test_times_of_the_repeated_hour_differ() -> None:
    first = convert_to_zone(datetime(2024, 2, 29, 17, 30, tzinfo=UTC), ALMATY)
    second = convert_to_zone(datetime(2024, 2, 29, 18, 30, tzinfo=UTC), ALMATY)
    assert first.isoformat() == "2024-02-29T23:30:00+06:00"
    assert second.isoformat() == "2024-02-29T23:30:00+05:00"
    assert second - first == timedelta(hours=1)


@given(WALL.map(lambda at: at.replace(tzinfo=UTC)))
def test_converted_time_has_a_fixed_offset(at: datetime) -> None:
    there = convert_to_zone(at, ALMATY)
    assert there == at
    assert there.fold == 0
    assert datetime.fromisoformat(there.isoformat()) == at


@given(WALL)
def test_converted_wall_time_keeps_its_clock(wall: datetime) -> None:
    assert convert_to_zone(wall, ALMATY).replace(tzinfo=None) == wall


def test_time_zone_is_from_tzdata() -> None:
    assert datetime(2026, 1, 1, tzinfo=ALMATY).utcoffset() == timedelta(hours=5)
    assert str(ALMATY) == "Asia/Almaty"


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("13 сент. 2025, 17:29", datetime(2025, 9, 13, 17, 29)),  # noqa: DTZ001
        ("1 нояб. 2025 г.", datetime(2025, 11, 1)),  # noqa: DTZ001
        ("Чт, 5 февр. 2026", datetime(2026, 2, 5)),  # noqa: DTZ001
        ("Суббота, 13 сентября 2025, 17:29", datetime(2025, 9, 13, 17, 29)),  # noqa: DTZ001
        ("сенбі, 2025 жылғы 13 қыркүйек", datetime(2025, 9, 13)),  # noqa: DTZ001
        ("Saturday, Sept. 13, 2025", datetime(2025, 9, 13)),  # noqa: DTZ001
        ("Sat. 13 September 2025 | 5:29 PM", datetime(2025, 9, 13, 17, 29)),  # noqa: DTZ001
        ("13 September 2025, 12:05 a.m.", datetime(2025, 9, 13, 0, 5)),  # noqa: DTZ001
    ],
)
def test_abbreviated_months_weekdays_and_halves_of_a_day(text: str, at: datetime) -> None:
    found = parse_date(text, ALMATY)
    assert found is not None
    assert (found.at.replace(tzinfo=None), found.raw) == (at, text)


@pytest.mark.parametrize(
    "text", ["Астана, 13 сентября 2025", "13 сентябрей 2025", "13 September 2025, 17:29 PM", "сб,"]
)
def test_other_words_make_no_date(text: str) -> None:
    assert parse_date(text, ALMATY) is None


@pytest.mark.parametrize(
    "raw",
    [
        *("20 ноября 2026, пятница", "20 ноября 2026, пятница, 00:00", "2026 жылғы 20 қараша, жұма", "20.11.2026 г."),
        *("2026 ж. 20 қар.", "20 қар. 2026", "20th November 2026", "Nov 20th, 2026", "Friday, Nov. 20, 2026"),
        *("00:00, 20 ноября 2026", "00:00 20.11.2026", "00:00 | Пт, 20 нояб. 2026 г."),
    ],
)
def test_weekdays_ordinals_abbreviations_and_times_may_be_anywhere(raw: str) -> None:
    found = parse_date(raw, ALMATY)
    assert found is not None
    assert found.at.isoformat() == "2026-11-20T00:00:00+05:00"
    assert found.precision == ("minute" if "00:00" in raw else "day")


@pytest.mark.parametrize("raw", ["10:15, 20 ноября 2026, 11:15", "10:15", "20 пятница 2026", "20.11.26", "10:15 20"])
def test_other_orders_are_no_dates(raw: str) -> None:
    assert parse_date(raw, ALMATY) is None
