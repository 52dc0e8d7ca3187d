"""Numbers for a person's eye: what a text states in digits, and every value it may state in any way of writing.

The judge's `numbers` must be quick and certain. Here a difference is shown to a person, so whatever another language
may write otherwise (words, roman numerals, times of day, spans of days) must not count as one.
"""

from __future__ import annotations

import re

from crawler.text.numbers import MONTH_STEMS, find_numbers

_RUSSIAN = (
    "один одна одно одного одной одним,1 два две двух двум двумя двое,2 три трех трёх трем тремя трое,3 "
    "четыре четырех четырёх четырем,4 пять пяти пятью пятеро,5 шесть шести шестеро,6 семь семи семеро,7 "
    "восемь восьми,8 девять девяти,9 десять десяти,10 одиннадцать одиннадцати,11 двенадцать двенадцати,12 "
    "тринадцать тринадцати,13 четырнадцать четырнадцати,14 пятнадцать пятнадцати,15 шестнадцать шестнадцати,16 "
    "семнадцать семнадцати,17 восемнадцать восемнадцати,18 девятнадцать девятнадцати,19 двадцать двадцати,20 "
    "тридцать тридцати,30 сорок сорока,40 пятьдесят пятидесяти,50 шестьдесят шестидесяти,60 семьдесят семидесяти,70 "
    "восемьдесят восьмидесяти,80 девяносто девяноста,90 сто ста,100 двести двухсот,200 триста трехсот трёхсот,300 "
    "четыреста четырехсот,400 пятьсот пятисот,500 шестьсот шестисот,600 семьсот семисот,700 восемьсот восьмисот,800 "
    "девятьсот девятисот,900 тысяча тысячи тысяч тысячу,1000 миллион миллиона миллионов,1000000 "
    "миллиард миллиарда миллиардов,1000000000"
)
_ENGLISH = (
    "one,1 two,2 three,3 four,4 five,5 six,6 seven,7 eight,8 nine,9 ten,10 eleven,11 twelve,12 thirteen,13 fourteen,14 "
    "fifteen,15 sixteen,16 seventeen,17 eighteen,18 nineteen,19 twenty,20 thirty,30 forty,40 fifty,50 sixty,60 "
    "seventy,70 eighty,80 ninety,90 hundred,100 thousand,1000 million,1000000 billion,1000000000 "
    "first,1 second,2 third,3 fourth,4 fifth,5 sixth,6 seventh,7 eighth,8 ninth,9 tenth,10"
)
_KAZAKH = (
    "бір,1 екі,2 үш,3 төрт,4 бес,5 алты,6 жеті,7 сегіз,8 тоғыз,9 он,10 жиырма,20 отыз,30 қырық,40 елу,50 алпыс,60 "
    "жетпіс,70 сексен,80 тоқсан,90 жүз,100 мың,1000 миллион,1000000 миллиард,1000000000"
)
_ORDINALS = (
    "перв,1 втор,2 трет,3 четверт,4 пят,5 шест,6 седьм,7 восьм,8 девят,9 десят,10 "
    "бірінші,1 екінші,2 үшінші,3 төртінші,4 бесінші,5 алтыншы,6 жетінші,7 сегізінші,8 тоғызыншы,9 оныншы,10"
)
_ORDINAL_END = "(?:ый|ий|ой|ая|ья|ое|ье|ого|ьего|ьей|ому|ьему|ым|ьим|ом|ьем|ую|ью|ые|ьи|ых|ьих)?"


def _parse_word_list(text: str) -> dict[str, int]:
    found: dict[str, int] = {}
    waiting: list[str] = []
    for part in text.split():
        word, _, value = part.partition(",")
        waiting.append(word)
        if value:
            found |= dict.fromkeys(waiting, int(value))
            waiting = []
    return found


_VALUES = _parse_word_list(f"{_RUSSIAN} {_ENGLISH} {_KAZAKH}")
_ORDINAL = _parse_word_list(_ORDINALS)
_ORDINAL_AT = re.compile(rf"(?<!\w)({'|'.join(sorted(_ORDINAL, key=len, reverse=True))}){_ORDINAL_END}(?!\w)")
_ROMAN_AT = re.compile(r"(?<!\w)(X{0,3})(IX|IV|V?I{0,3})(?!\w)")
_ROMAN = {"": 0, "I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7, "VIII": 8, "IX": 9}
_TOKEN = re.compile(r"[^\W\d_]+")
_JOINED = re.compile(r"[\s\u00a0-]+(?:and\s+)?")

_STEM = "|".join(stem for stems in MONTH_STEMS for stem in stems.split())
_MONTH = (
    r"(?:янв(?:ар\w+)?|фев(?:рал\w+)?|мар(?:т\w?)?|апр(?:ел\w+)?|ма[йяе]|ию[нл][ьяе]|авг(?:уст\w?)?|сен(?:тябр\w)?|окт(?:ябр\w)?"
    r"|ноя(?:бр\w)?|дек(?:абр\w)?|jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
    r"|(?:қаңтар|ақпан|наурыз|сәуір|мамыр|маусым|шілде|тамыз|қыркүйек|қазан|қараша|желтоқсан)\w*)(?!\w)"
)
_NO_MONTH = re.compile(rf"(?<=\d)\s+(?=(?:{_STEM})\w)(?!{_MONTH})")
"""Before a word that only begins like a month ("12 маршрутов", "12 markets")."""
_DAY = r"(?<![\d.,])\d{1,2}(?:st|nd|rd|th|-?го|-?е|-?нен|-?нан|-?ден|-?дан)?"
_BETWEEN = r"(?:\s*[-–—]\s*|\s+(?:и|по|до|мен|пен|бен|және|and|to|through|until)\s+)"
_DAYS = re.compile(
    rf"{_DAY}(?:(?:,\s*|{_BETWEEN}){_DAY})*\s+(?:of\s+)?{_MONTH}|{_MONTH}\.?\s+{_DAY}(?:{_BETWEEN}{_DAY})*(?!\d)"
)
_OF_DAY = r"(?:a\.?\s?m\b|p\.?\s?m\b|o['’]clock|утра|дня|вечера|ночи|час(?:ов|а|ам)?\b(?!\s*работы)|сағат)"
_CLOCK = re.compile(rf"(?<!\d)\d{{1,2}}(?:[.:]\d{{2}})?\s*{_OF_DAY}|(?:сағат|at)\s+\d{{1,2}}[.:]\d{{2}}(?!\d)")
_DOTTED = re.compile(r"(?<![\d.,])\d{1,3}(?:\.\d{3}){2,}(?![\d.])")
_LONE_MILLION = re.compile(r"(?<!\d)(?<!\d\s)миллион(?!\w)")
_PHONE = re.compile(r"\+\d[\d\s()\u00a0-]{7,}")


def find_written_digits(text: str) -> set[float]:
    """The values that stand in a text as digits ("2 млн" too); no dates, times of day, years or telephone numbers."""
    # Words of scale belong to the digits before them; every other number word is taken out.
    kept = _TOKEN.sub(lambda word: ";" if _VALUES.get(word[0], 1000) < 1000 else word[0], _remove_dates(text))
    return set(find_numbers(_LONE_MILLION.sub(";", kept)))


def find_stated_numbers(text: str) -> set[float]:
    """Every value that a text may be said to state: digits, words alone and together, ordinals, roman numerals."""
    found = set(find_numbers(_remove_dates(text))) | _find_spelled_numbers(text.lower())
    found |= {float(_ORDINAL[match[1]]) for match in _ORDINAL_AT.finditer(text.lower())}
    return found | {10.0 * len(match[1]) + _ROMAN[match[2]] for match in _ROMAN_AT.finditer(text) if match[0]}


def _remove_dates(text: str) -> str:
    text = _DOTTED.sub(lambda match: match[0].replace(".", ""), text.lower())
    for pattern in (_PHONE, _CLOCK, _DAYS):
        text = pattern.sub(" ; ", text)
    return _NO_MONTH.sub(" ; ", text)


def _find_spelled_numbers(text: str) -> set[float]:
    """Number words, each alone and with those before it: "two hundred and five" is 2, 200, 205, 100 and 5."""
    found: set[float] = set()
    total, part, end = 0, 0, -1
    for match in _TOKEN.finditer(text):
        value = _VALUES.get(match[0])
        if value is None:
            continue
        if end < 0 or not _JOINED.fullmatch(text[end : match.start()]):
            total = part = 0
        if value >= 1000:
            total, part = total + max(part, 1) * value, 0
        else:
            part = part * 100 if value == 100 and 0 < part < 10 else part + value
        found |= {float(value), float(total + part)}
        end = match.end()
    return found
