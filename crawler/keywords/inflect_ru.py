"""Russian: every case and number of a term, from tables of endings.

The tables give more than the language has ("красные креста"): a word nobody writes costs nothing, one missed costs an
article. Adjectives and their noun are put into the same case; what follows the noun stays ("комитета Красного Креста").
"""

from __future__ import annotations

from itertools import product

CaseForms = tuple[tuple[str, ...], ...]
"""Forms by case: singular nominative, genitive, dative, accusative, instrumental, locative; then the plural."""

SIBILANTS = "жшчщ"
VELARS = "кгх"
ACCUSATIVE_CASES = (3, 9)
"""An empty accusative reads like the nominative of things and like the genitive of living beings."""
VOWELS = "аеиоуыэюя"
CONSONANTS = "бвгджзклмнпрстфхцчшщ"
_PREPOSITIONS = "в во на о об обо по при с со за из к ко от до для без над под у про через между"
PREPOSITIONS = frozenset(_PREPOSITIONS.split())

_ADJECTIVES = {
    "ый": "ый|ого|ому|=|ым|ом|ые|ых|ым|=|ыми|ых",
    "ой": "ой|ого|ому|=|ым|ом|ые|ых|ым|=|ыми|ых",
    "ий": "ий|его|ему|=|им|ем|ие|их|им|=|ими|их",
    "ая": "ая|ой|ой|ую|ой ою|ой|ые|ых|ым|=|ыми|ых",
    "яя": "яя|ей|ей|юю|ей ею|ей|ие|их|им|=|ими|их",
    "ое": "ое|ого|ому|ое|ым|ом|ые|ых|ым|=|ыми|ых",
    "ее": "ее|его|ему|ее|им|ем|ие|их|им|=|ими|их",
    "ые": "||||||ые|ых|ым|=|ыми|ых",
    "ие": "||||||ие|их|им|=|ими|их",
}
_MASCULINE = "_|а|у|=|ом|е|ы а|ов|ам|=|ами|ах"
_NOUNS = {
    "нин": "нин|нина|нину|=|нином|нине|не нины|н нинов|нам нинам|=|нами нинами|нах нинах",
    "ья": "ья|ьи|ье|ью|ьей ьею|ье|ьи|ей|ьям|=|ьями|ьях",
    "ий": "ий|ия|ию|=|ием|ии|ии|иев|иям|=|иями|иях",
    "й": "й|я|ю|=|ем|е|и|ев|ям|=|ями|ях",
    "ь": "ь|я и|ю и|ь я|ем ью|е и|и|ей|ям ам|=|ями ами|ях ах",
    "ия": "ия|ии|ии|ию|ией иею|ии|ии|ий|иям|=|иями|иях",
    "мя": "мя|мени|мени|мя|менем|мени|мена|мен|менам|=|менами|менах",
    "я": "я|и|е|ю|ей ею|е|и|ь й ей|ям|=|ями|ях",
    "ие": "ие|ия|ию|ие|ием|ии|ия|ий|иям|=|иями|иях",
    "ье": "ье|ья|ью|ье|ьем|ье|ья|ий|ьям|=|ьями|ьях",
    "о": "о|а|у|о|ом|е|а|_|ам|=|ами|ах",
    "е": "е|а я|у ю|е|ем|е|а я|_ ей|ам ям|=|ами ями|ах ях",
    "а": "а|ы|е|у|ой ою|е|ы|_|ам|=|ами|ах",
    "ии": "||||||ии|ий иев|иям|=|иями|иях",
    "ы": "||||||ы|ов _|ам|=|ами|ах",
    "и": "||||||и|ов _ ей ь|ам ям|=|ами ями|ах ях",
}
_IRREGULAR = {
    "ребенок": "ребенок|ребенка|ребенку|=|ребенком|ребенке|дети|детей|детям|=|детьми|детях",
    "человек": "человек|человека|человеку|=|человеком|человеке|люди|людей человек|людям|=|людьми|людях",
    "мать": "мать|матери|матери|мать|матерью|матери|матери|матерей|матерям|=|матерями|матерях",
    "дочь": "дочь|дочери|дочери|дочь|дочерью|дочери|дочери|дочерей|дочерям|=|дочерьми дочерями|дочерях",
    "друг": "друг|друга|другу|=|другом|друге|друзья|друзей|друзьям|=|друзьями|друзьях",
    "сын": "сын|сына|сыну|=|сыном|сыне|сыновья|сыновей|сыновьям|=|сыновьями|сыновьях",
    "брат": "брат|брата|брату|=|братом|брате|братья|братьев|братьям|=|братьями|братьях",
    "год": "год|года|году|год|годом|годе году|годы года|лет годов|годам|=|годами|годах",
    "церковь": "церковь|церкви|церкви|церковь|церковью|церкви|церкви|церквей|церквям церквам|=|церквями|церквях",
}
_DROPPED = {"посол": "посл", "орел": "орл", "угол": "угл", "узел": "узл", "лев": "льв", "лед": "льд", "лоб": "лб"}
"""Nouns whose last vowel is lost in every other form."""
_NOUN_IN_IE = (
    "ение",
    "ание",
    "яние",
    "ствие",
    "тие",
    "вие",
    "лие",
    "рие",
    "сие",
    "чие",
    "дие",
    "зие",
    "бие",
    "пие",
    "жение",
)
_ADJECTIVE_IN_IE = ("ские", "цкие", "дние", "рние", "шние", "хние", "жние", "вние", "бние", "тние", "нние")
_ADJECTIVE_BEFORE_IY = "кгхжшчщ"


def make_forms(term: str) -> set[str]:
    """Every form of a term given in the nominative, in small letters, ё as е.

    >>> sorted(forms("Красный Крест"))[:3]
    ['красного креста', 'красном кресте', 'красному кресту']
    """
    slots = [_inflect_word(word, inflected) for word, inflected in _mark_inflected_words(term.split())]
    found = {term.lower().replace("ё", "е")}
    for case in range(12):
        for like in (case - 3, case - 2) if case in ACCUSATIVE_CASES else (case,):
            found.update(" ".join(words) for words in product(*(slot[case] or slot[like] for slot in slots)))
    return found


def _mark_inflected_words(words: list[str]) -> list[tuple[str, bool]]:
    """Each word and whether it is inflected: adjectives up to a noun, the noun, and the same again after "и".

    In a name of two or three capitalised nouns ("Касым-Жомарт Токаев") each may be inflected.
    """
    out: list[tuple[str, bool]] = []
    before, names = True, _is_name(words)
    for index, word in enumerate(words):
        plain = word.lower().replace("ё", "е")
        if plain in ("и", "или") and (before or out[-1][1]):
            out.append((word, False))
            before = True
        elif plain in PREPOSITIONS:
            out += [(rest, False) for rest in words[index:]]
            break
        else:
            out.append((word, before or names))
            before = before and _is_adjective(plain) and index < len(words) - 1
    return out


def _is_name(words: list[str]) -> bool:
    """Whether the words look like a person's name: capitalised nouns in the nominative, no adjective or genitive."""
    plain = [word.lower() for word in words]
    oblique = ("ого", "его", "ых", "их", "ому", "ему", "ии", "ы", "и")
    return 2 <= len(words) <= 3 and all(
        word[:1].isupper() and not word.isupper() and not low.endswith(oblique) and not _is_adjective(low)
        for word, low in zip(words, plain, strict=True)
    )


def _is_adjective(word: str) -> bool:
    if len(word) < 5 or word[-2:] not in _ADJECTIVES:
        return False
    if word.endswith("ие"):
        return not word.endswith(_NOUN_IN_IE) and (word[-3] in _ADJECTIVE_BEFORE_IY or word.endswith(_ADJECTIVE_IN_IE))
    if word.endswith("ий"):
        return word[-3] in _ADJECTIVE_BEFORE_IY or (word[-3] == "н" and word[-4] in CONSONANTS)
    return True


def _inflect_word(word: str, inflected: bool) -> CaseForms:
    plain = word.lower().replace("ё", "е")
    if not inflected:
        return ((plain,),) * 12
    if word.isupper() and len(word) > 1:
        return _inflect_abbreviation(plain)
    first, hyphen, last = plain.rpartition("-")
    tails = _inflect_adjective(last) if _is_adjective(last) else _inflect_noun(last, surname=word[:1].isupper())
    if last.endswith(("ой", "ний")) and len(last) > 3:
        tails = _merge_forms(_inflect_adjective(last), _inflect_noun(last, surname=False))
    if not hyphen:
        return tails
    heads = (
        ((first,),) * 12
        if "-" in first or len(first) < 4
        else _add_unchanged_form(first, _inflect_noun(first, surname=False))
    )
    return tuple(tuple(f"{a}-{b}" for a, b in product(one, other)) for one, other in zip(heads, tails, strict=True))


def _add_unchanged_form(word: str, slots: CaseForms) -> CaseForms:
    return tuple(tuple(dict.fromkeys((word, *slot))) for slot in slots)


def _inflect_abbreviation(word: str) -> CaseForms:
    """Abbreviations stay as they are; those one can speak also take endings ("МИДа")."""
    if word[-1] not in CONSONANTS:
        return ((word,),) * 12
    endings = ("", "а", "у", "", "ом", "е", "ы", "ов", "ам", "ы", "ами", "ах")
    return tuple(tuple(dict.fromkeys((word, word + ending))) for ending in endings)


def _inflect_adjective(word: str) -> CaseForms:
    stem, ending = word[:-2], word[-2:]
    return _apply_endings(stem, _ADJECTIVES["ый" if ending == "ий" and stem[-1] in VELARS else ending])


def _inflect_noun(word: str, *, surname: bool) -> CaseForms:
    if word in _IRREGULAR:
        return _apply_endings("", _IRREGULAR[word])
    if word in _DROPPED:
        table = _NOUNS["ь"].replace("ь", "\0") if word[-1] == "ь" else _MASCULINE.replace("_", "\0")
        return _merge_forms(
            ((word,),) + ((),) * 2 + ((word,),) + ((),) * 8, _apply_endings(_DROPPED[word], table), drop="\0"
        )
    for ending, table in _NOUNS.items():
        if word.endswith(ending) and len(word) > len(ending):
            slots = _apply_endings(_stem(word, ending), table)
            break
    else:
        if word[-1:] not in CONSONANTS or not word:
            return ((word,),) * 12
        slots = _apply_endings(word, _MASCULINE)
    slots = _add_fleeting_vowels(word, slots)
    if surname and word.endswith(("ов", "ев", "ин", "ын")):
        slots = _merge_forms(slots, _apply_endings(word, "_|а|у|а|ым|е|ы|ых|ым|ых|ыми|ых"))
    if surname and word.endswith(("ова", "ева", "ина", "ына")):
        slots = _merge_forms(slots, _apply_endings(word[:-1], "а|ой|ой|у|ой|ой|ы|ых|ым|ых|ыми|ых"))
    if surname and (word[-1] in CONSONANTS or word.endswith(("о", "а", "е", "и"))):
        slots = _add_unchanged_form(word, slots) if word.endswith(("ич", "о", "е", "и", "ко")) else slots
    return slots


def _add_fleeting_vowels(word: str, slots: CaseForms) -> CaseForms:
    """Vowels that come and go: "беженец, беженца", "поселок, поселка", "день, дня", "сестра, сестер"."""
    stem = word[:-2]
    if word.endswith("ец") and len(word) > 3:
        soft = "й" if stem[-1] in VOWELS else "ь" if stem[-1] == "л" else ""
        return _merge_forms(slots, _apply_endings(stem + soft + "ц", _MASCULINE.replace("_", "\0")), drop="\0")
    if word.endswith(("ок", "ек")) and len(word) > 3:
        return _merge_forms(
            slots,
            _apply_endings(stem + ("ь" if word.endswith("лек") else "") + "к", _MASCULINE.replace("_", "\0")),
            drop="\0",
        )
    if word.endswith("ень"):
        return _merge_forms(slots, _apply_endings(word[:-3] + "н", _NOUNS["ь"].replace("ь", "\0")), drop="\0")
    if word[-1:] in "аое" and len(word) > 3 and word[-2] in CONSONANTS and word[-3] in CONSONANTS + "ьй":
        base = word[:-3] if word[-3] in "ьй" else word[:-2]
        genitive = tuple(base + vowel + word[-2] for vowel in "ео")
        return tuple(slot + genitive if case in (7, 9) else slot for case, slot in enumerate(slots))
    return slots


def _stem(word: str, ending: str) -> str:
    return word[: len(word) - len(ending)]


def _apply_endings(stem: str, table: str) -> CaseForms:
    return tuple(
        tuple(dict.fromkeys(form for ending in endings.split() if ending != "=" for form in _spell_form(stem, ending)))
        for endings in table.split("|")
    )


def _spell_form(stem: str, ending: str) -> tuple[str, ...]:
    """Stem and ending by the rules of spelling: no ы after к г х ж ш ч щ; е for an unstressed о after ж ш ч щ ц."""
    last = stem[-1:]
    if ending == "_":
        return (stem,)
    if ending == "ов":
        return {"ц": (stem + "ов", stem + "ев")}.get(last) or ((stem + "ей",) if last in SIBILANTS else (stem + "ов",))
    if last in VELARS and ending[0] in "ыея" and ending not in ("е", "ем"):
        return (stem + {"ы": "и", "е": "о", "я": "а"}[ending[0]] + ending[1:],)
    if last in SIBILANTS and ending[0] == "ы":
        return (stem + "и" + ending[1:],)
    if last in SIBILANTS + "ц" and ending[0] == "о" and ending != "о":
        return (stem + ending, stem + "е" + ending[1:])
    return (stem + ending,)


def _merge_forms(one: CaseForms, other: CaseForms, drop: str = "\n") -> CaseForms:
    return tuple(
        tuple(dict.fromkeys(form for form in (*a, *b) if drop not in form)) for a, b in zip(one, other, strict=True)
    )
