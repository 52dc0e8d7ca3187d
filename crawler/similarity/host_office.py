"""Who hosts, and which of a series it is: what keeps apart two meetings of one guest on one day."""

from __future__ import annotations

import re

HOST_OFFICES = {
    "head of state": r"глав[аеуы] государства|президент\w*\s+(?:рк|республики казахстан|казахстана)|мемлекет басшы|"
    r"head of state|president\s+(?:of kazakhstan|kassym|tokayev)|токаев|тоқаев|tokayev|қр президенті|akorda|"
    r"президент (?:касым|токаев)|қазақстан президенті",
    "head of government": r"премьер[- ]министр|prime minister|глав\w+ правительства",
    "deputy minister": r"(?:зам\.?\s?|заместител\w+\s+)(?:министра|главы\s+(?:мид|внешн))|замминистр|замглавы|"
    r"вице-министр|deputy\s+(?:foreign\s+)?minister|deputy minister|министрінің (?:бірінші )?орынбасар|vice minister",
    "minister": r"(?<!зам)(?<!заместитель )(?<!заместителя )(?<!deputy )(?<!deputy foreign )(?:министр(?:ом|у)?\s|"
    r"глав[аеуы] (?:мид|внешне)|foreign minister|minister of foreign|министрі\b)",
    "speaker": r"спикер|председател\w+ (?:сената|мажилиса)|speaker|сенат төраға|мәжіліс төраға",
    "state counsellor": r"госсоветник|государственн\w+ советник|госсекретар|state counsell?or|state secretary",
}
"""Whoever receives guests in these sources; of several in a lead, the one named first hosts."""
_HOSTS = {name: re.compile(pattern) for name, pattern in HOST_OFFICES.items()}

_ORDINALS = (
    (1, "first", "перв", "бірінші"), (2, "second", "втор", "екінші"), (3, "third", "трет", "үшінші"),
    (4, "fourth", "четверт четвёрт", "төртінші"), (5, "fifth", "пят[ыоу]", "бесінші"),
    (6, "sixth", "шест[оуы]", "алтыншы"), (7, "seventh", "седьм", "жетінші"), (8, "eighth", "восьм[оуы]", "сегізінші"),
)  # fmt: skip
_ORDINAL = re.compile(
    "|".join(rf"(?P<n{number}>\b(?:{'|'.join(' '.join(forms).split())})\w*)" for number, *forms in _ORDINALS)
    + r"|(?P<written>\b\d{1,3})-?(?:th|nd|rd|st|[йя]|ая|ый|ой|го|шы|ші)\b"
)
_NO_SERIES = re.compile(
    r"[\s-]*(?:deputy|vice|lady|time|of all|зам|заместит|вице|леди|раз\b|орынбасар|чтени|committee|degree|степен)"
)


def find_host_office(lead: str) -> str | None:
    """The office of whoever hosts, as the lead says it; None when it names none of those known."""
    lower = lead.lower()
    found = {name: at.start() for name, pattern in _HOSTS.items() if (at := pattern.search(lower))}
    return min(found, key=lambda name: found[name]) if found else None


def find_ordinals(lead: str) -> frozenset[int]:
    """Which of a series a lead tells of: first, third, 56th."""
    lower = lead.lower()
    listed = set()
    for found in _ORDINAL.finditer(lower):
        if _NO_SERIES.match(lower, found.end()):
            continue
        named = found.lastgroup or ""
        listed.add(int(found[0][: len(found["written"])]) if named == "written" else int(named[1:]))
    return frozenset(listed)
