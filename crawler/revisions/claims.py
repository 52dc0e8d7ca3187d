"""What a sentence claims that an edit can quietly turn round: figures, dates, names, negations, attributions.

Each is a multiset (names: a list), read by patterns and word lists in en, ru and kk, whatever the language of the text:
the same word list serves a quotation in another language. The lists are there to compare two readings of one sentence,
where a false find stands on both sides and does no harm; they are no general recogniser.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from crawler.text.dates import MONTH_NUMBERS

_MONTH = "|".join(sorted(MONTH_NUMBERS, key=len, reverse=True))
_KK_CASE = r"(?:да|де|та|те|нда|нде|дан|ден|ға|ге|ның|нің|дың|дің|ы|і)?"
DATE_PATTERN = re.compile(
    rf"(?P<d1>\d{{1,2}})(?:-?(?:го|st|nd|rd|th))?\s+(?P<m1>{_MONTH}){_KK_CASE}\b\.?(?:,?\s+(?P<y1>(?:19|20)\d\d)\b)?"
    rf"|\b(?P<m2>{_MONTH})\s+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s+(?P<y2>(?:19|20)\d\d)\b)?"
    r"|\b(?P<d3>\d{1,2})\.(?P<m3>\d{1,2})\.(?P<y3>(?:19|20)\d\d)\b|\b(?P<y4>(?:19|20)\d\d)-(?P<m4>\d\d)-(?P<d4>\d\d)\b"
    r"|\b(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)\b"
    rf"|\b(?P<month>{_MONTH})\b(?=\s+(?:19|20)\d\d)|\b(?P<year>(?:19|20)\d\d)(?!\d|[.,]\d)",
    re.IGNORECASE,
)
_DAYS = """
monday tuesday wednesday thursday friday saturday sunday yesterday today tomorrow
понедельник вторник сред четверг пятниц суббот воскресень вчера сегодня завтра накануне послезавтра позавчера
дүйсенбі сейсенбі сәрсенбі бейсенбі жұма сенбі жексенбі кеше бүгін ертең
""".split()
# A day's name with its ending; "среди", "средства" and the like are other words.
WEEKDAY_PATTERN = re.compile(
    rf"\b(?P<day>{'|'.join(sorted(_DAYS, key=len, reverse=True))})(?:а|у|е|ы|я|ю|ник\w{{0,2}}|шний|ым|ой|"
    r"де|да|нде|нда|гі|ғы|s)?\b",
    re.IGNORECASE,
)

_NUMBERS: dict[str, str] = {}
for _value, _names in (
    ("2", "two два две двух двум двумя двое двоих екі екеу"),
    ("3", "three три трех трёх трем трём тремя трое троих үш үшеу"),
    ("4", "four четыре четырех четырёх четырем четырём четверо төрт төртеу"),
    ("5", "five пять пяти пятью пятеро бес бесеу"),
    ("6", "six шесть шести шестью шестеро алты алтау"),
    ("7", "seven семь семи семью семеро жеті жетеу"),
    ("8", "eight восемь восьми восемью сегіз"),
    ("9", "nine девять девяти девятью тоғыз"),
    ("10", "ten десять десяти десятью"),
    ("11", "eleven одиннадцать одиннадцати"),
    ("12", "twelve dozen двенадцать двенадцати дюжина"),
    ("15", "fifteen пятнадцать пятнадцати"),
    ("20", "twenty двадцать двадцати жиырма"),
    ("30", "thirty тридцать тридцати отыз"),
    ("40", "forty сорок сорока қырық"),
    ("50", "fifty пятьдесят пятидесяти елу"),
    ("60", "sixty шестьдесят шестидесяти алпыс"),
    ("70", "seventy семьдесят семидесяти жетпіс"),
    ("80", "eighty восемьдесят восьмидесяти сексен"),
    ("90", "ninety девяносто девяноста тоқсан"),
    ("100", "hundred hundreds сто ста сотня сотни сотен жүз жүздеген"),
    ("10^3", "thousand thousands тыс тысяча тысячи тысяч тысячу тысячам тысячами мың мыңдаған"),
    ("10^6", "million millions mln млн миллион миллиона миллионов миллионам миллиондаған"),
    ("10^9", "billion billions bn млрд миллиард миллиарда миллиардов миллиардтаған"),
    ("half", "half половина половину половины жарты жартысы"),
    ("%", "percent процент процента процентов пайыз пайызға"),
):
    _NUMBERS |= dict.fromkeys(_names.split(), _value)
FIGURE_PATTERN = re.compile(r"\d+(?:[ \u00a0\u202f,.]\d{3}(?!\d))+(?:[.,]\d+)?|\d+(?:[.,]\d+)?|%")
_GROUPED = re.compile(r"[ \u00a0\u202f]")

NEGATION_PATTERN = re.compile(
    r"\b(?:not|no|never|none|nobody|nothing|nowhere|neither|nor|without|cannot|\w+n['’]t"
    r"|не|ни|нет|без|нельзя|никогда|никто|никого|никому|ничто|ничего|никак\w*|нигде|невозможн\w+|отнюдь"
    r"|емес\w{0,4}|жоқ\w{0,3}|ешқашан|ешкім\w*|ешқандай|ештеңе\w*|ешбір)\b",
    re.IGNORECASE,
)
# Kazakh negates a verb inside it: кел-ме-ді, бар-ба-йды, айт-па-ған.
KAZAKH_NEGATED_VERB = re.compile(
    r"\b(?!(?:тұмау|алмас|Алмас))[а-яёәғқңөұүһі]{2,}(?:[мбп][ае])"
    r"(?:д[ыі](?:м|ң|қ|к|ңыз|ңіз)?|й(?:д[ыі]|м[ыі]н|мыз|міз|сың|сің|т[ыі]н\w*)?|[ғг][ае]н\w*|с|у\w{0,4}|п|с[ае]|йынша|йінше)\b"
)

_SPEECH: dict[str, str] = {}
for _name, _forms in (
    ("say", "said say says saying сказал сказала сказали говорит говорят деді дейді айтты айтқан"),
    ("report", "reported reports reportedly reporting сообщил сообщила сообщили сообщает сообщают сообщается хабарлады "
     "хабарлайды хабарланды"),
    ("state", "stated states declared announced announces заявил заявила заявили заявляет объявил объявила объявили "
     "мәлімдеді мәлімдейді жариялады"),
    ("note", "noted notes stressed emphasized emphasised added отметил отметила отметили подчеркнул подчеркнула "
     "подчеркнули добавил добавила"),
    ("confirm", "confirmed confirms подтвердил подтвердила подтвердили подтверждает растады"),
    ("deny", "denied denies rejected опроверг опровергла опровергли опровергает отрицает отверг"),
    ("claim", "claimed claims alleged alleges allegedly утверждает утверждают утверждал якобы предположительно"),
    ("warn", "warned warns предупредил предупредила предупредили ескертті"),
    ("cite", "cited citing цитирует передает передаёт передают"),
):  # fmt: skip
    _SPEECH |= dict.fromkeys(_forms.split(), _name)
_PHRASES = (
    ("according", r"according to|по словам|по данным|по информации|по сведениям|по сообщени\w+|согласно|"
     r"айтуынша|мәліметінше|мәліметтеріне сәйкес|деректеріне сәйкес|хабарлауынша|сөзінше"),
    ("cite", r"со ссылкой на|ссылаясь на|as quoted by|сілтеме жасап"),
    ("note", r"атап өтті|атап айтты|баса айтты|қосты"),
    ("deny", r"жоққа шығарды|теріске шығарды"),
)  # fmt: skip
ATTRIBUTION_PHRASES = tuple((name, re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE)) for name, pattern in _PHRASES)

CLAIM_WORD_PATTERN = re.compile(r"[^\W\d_]+(?:[-’'][^\W\d_]+)*")
_NO_NAMES = frozenset(
    """the a an in on at of for and or but to from by with as it he she they we i his her their this that these those
    after before when while during since also however both all some many most there under over between about into mr mrs
    ms dr new according
    он она они оно мы вы я в на по с со из к о об от до за при для и а но что это этот эта эти как так также когда где
    если после перед однако кроме между сегодня вчера завтра г год все всё его ее её их
    ол олар біз мен сен бұл осы сол және да де бірақ сондай кейін бүгін ертең кеше""".split()
)
# Posts and offices, which are written with a capital here and without one there.
_POST = re.compile(
    r"(?:министр|министерств|премьер|вице|президент|глав[аыуое]|посол|посл[аоуы]|председател|руководител|заместител|директор|"
    r"представител|делегаци|секретар|генеральн|перв[ыоа]|елші|төраға|басшы|өкіл|бірінші|"
    r"minister|ministry|president|ambassador|head|chair|deputy|director|secretary|representative|delegation|first|vice)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of one sentence; equal where two sentences claim the same."""

    figures: Counter[str] = field(default_factory=Counter)
    dates: Counter[str] = field(default_factory=Counter)
    negations: Counter[str] = field(default_factory=Counter)
    attributions: Counter[str] = field(default_factory=Counter)
    names: tuple[str, ...] = ()


def find_claims(sentence: str, known_names: frozenset[str] = frozenset()) -> Claims:
    """The claims of a sentence; `known` are names of the whole text, which count at its beginning too."""
    dates, rest = _extract_dates(sentence)
    return Claims(
        figures=_count_figures(rest),
        dates=dates,
        negations=_count_negations(sentence),
        attributions=_count_attributions(sentence),
        names=tuple(_find_names(rest, known_names)),
    )


def find_certain_names(sentences: Iterable[str]) -> frozenset[str]:
    """Words with a capital inside sentences: the names that are sure, folded; headlines in capitals give none."""
    found: set[str] = set()
    for sentence in sentences:
        words = [word[0] for word in CLAIM_WORD_PATTERN.finditer(sentence)]
        if not _is_headline(words):
            found |= {word.casefold() for word in words[1:] if _is_capital(word)}
    return frozenset(found - _NO_NAMES)


def list_unmatched_names(names: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    """The names that none of the others is a form of: "Иванова" is a form of "Иванов"."""
    rest = list(others)
    return tuple(dict.fromkeys(name for name in names if not any(is_same_name(name, other) for other in rest)))


def is_same_name(one: str, other: str) -> bool:
    """Whether two words can be one name in two grammatical cases."""
    one, other = one.casefold().replace("ё", "е"), other.casefold().replace("ё", "е")
    if one == other:
        return True
    shared = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    cyrillic = "\u0400" <= one[0] <= "\u04ff"
    ending = max(len(one), len(other)) - shared
    return shared >= 3 and (ending <= 3 if cyrillic else one[shared:] in ("s", "'s", "’s", "") and ending <= 2)


def _extract_dates(sentence: str) -> tuple[Counter[str], str]:
    """The dates, each as one word, and the sentence without them."""
    found: Counter[str] = Counter()

    def date(match: re.Match[str]) -> str:
        part = match.groupdict()
        for one in "1234":
            if part.get(f"d{one}"):
                month = part[f"m{one}"]
                number = MONTH_NUMBERS.get(month.lower()) or int(month)
                found[f"{int(part[f'd{one}']):02}.{number:02}"] += 1
                if year := part.get(f"y{one}"):
                    found[year] += 1
                return " "
        if part["hour"]:
            found[f"{int(part['hour'])}:{part['minute']}"] += 1
        elif part["month"]:
            found[f"month {MONTH_NUMBERS[part['month'].lower()]}"] += 1
        else:
            found[part["year"]] += 1
        return " "

    rest = DATE_PATTERN.sub(date, sentence)
    found.update(match["day"].lower() for match in WEEKDAY_PATTERN.finditer(rest))
    return found, WEEKDAY_PATTERN.sub(" ", rest)


def _count_figures(sentence: str) -> Counter[str]:
    found = Counter(_normalize_figure(match[0]) for match in FIGURE_PATTERN.finditer(sentence))
    found.update(
        _NUMBERS[word] for match in CLAIM_WORD_PATTERN.finditer(sentence) if (word := match[0].lower()) in _NUMBERS
    )
    return found


def _normalize_figure(figure: str) -> str:
    """One spelling of a number: groups closed up, a comma before a fraction a dot."""
    figure = _GROUPED.sub("", figure)
    parts = re.split(r"[.,]", figure)
    if len(parts) > 1 and all(len(part) == 3 for part in parts[1:]) and len(parts[0]) <= 3 and parts[0] != "0":
        return "".join(parts)
    return ".".join(parts)


def _count_negations(sentence: str) -> Counter[str]:
    found = Counter(match[0].lower() for match in NEGATION_PATTERN.finditer(sentence))
    for match in KAZAKH_NEGATED_VERB.finditer(sentence):
        found[match[0].lower()] += 1
    return found


def _count_attributions(sentence: str) -> Counter[str]:
    found = Counter(
        _SPEECH[word] for match in CLAIM_WORD_PATTERN.finditer(sentence) if (word := match[0].lower()) in _SPEECH
    )
    for name, pattern in ATTRIBUTION_PHRASES:
        found[name] += len(pattern.findall(sentence))
    return +found


def _find_names(sentence: str, known: frozenset[str]) -> Iterable[str]:
    words = [word[0] for word in CLAIM_WORD_PATTERN.finditer(sentence)]
    headline = _is_headline(words)
    for number, word in enumerate(words):
        if not _is_capital(word) or word.casefold() in _NO_NAMES or word.lower() in MONTH_NUMBERS or _POST.match(word):
            continue
        follows = number + 1 < len(words) and _is_capital(words[number + 1])
        sure = (word.isupper() and len(word) > 1) or any(is_same_name(word, name) for name in known)
        if sure or (not headline and (number > 0 or (follows and len(word) > 2))):
            yield word


def _is_capital(word: str) -> bool:
    return word[0].isupper()


def _is_headline(words: list[str]) -> bool:
    """Whether a sentence is set in capitals, as English headlines are: capitals say nothing there."""
    long = [word for word in words if len(word) > 3]
    return len(long) >= 4 and sum(map(_is_capital, long)) >= 0.7 * len(long)
