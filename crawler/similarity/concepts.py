"""Words that stand for the same thing in English, Russian and Kazakh, as beginnings of folded words.

A line is one concept: its name, how much it says when two texts share it, and its beginnings. Only what these sources
write about is here; a concept that is missing costs a little recall between languages, never a false merge.
"""

from __future__ import annotations

from functools import lru_cache

from crawler.text.folding import split_folded_words

_LINES = """
redcross 0.3 красного+крест красный+крест красному+крест красным+крест кызыл+крест red+cross красн+крест мккк icrc хккк
crescent 0.4 красн+полумес кызыл+жарты red+crescent
ihl 0.3 гуманитарн+прав гуманитарлык+кукы humanitarian+law мгп ihl хгк
geneva 0.4 женевск женев geneva
un 0.2 оон un united+nations буу бириккен+ултт
who 1.5 воз who ддсу world+health всемирн+организац+здрав дуниежузилик+денсаулык
osce 1.5 обсе osce екыу
cis 1.2 снг cis тмд
otg 1.5 отг ots туркск+государ туркі organization+turkic
eu 0.8 ес eu европейск+союз european+union еуропалык+одак
mfa 0.1 мид mfa сим министр+иностран foreign+minist сырткы+истер
hostage 1.6 заложни hostage кепил
prisoner 0.8 заключенн prisoner тюрьм түрме турме prison jail осужден сотталы
truce 1.0 перемири truce ceasefire прекращени+огня бітім битим
aid 0.3 помощ гумпомощ көмек комек aid assistance гуманитарлык+жук
children 0.8 дет ребен child бала балалар балдар
women 0.6 женщин women woman аиелдер
mother 0.8 матер mother анала
quake 1.5 землетрясен earthquake жер+силкин зилзала
flood 1.5 паводк наводнен flood су+таскын тасқын
mudflow 2.0 сель селя селе mudflow кошкин
fire 1.0 пожар wildfire орт
virus 1.0 коронавирус coronavirus covid пандеми pandemic
refugee 1.0 беженц refugee боскын
migrant 0.9 мигрант migrant миграц migration
troops 0.7 войск troops армия army оборон defense defence корганыс
blast 1.0 взрыв explosion blast жарылыс
attack 0.8 нападен attack обстрел расстрел шабуыл
killed 0.7 погиб убит killed dead death каза+та олген
wounded 0.8 ранен injured wounded жаралы жаракат
police 0.7 полици police полисмен милицион
family 0.6 семь семе famil отбасы
medicine 0.7 лекарств медик medic дари медицин
doctor 0.6 врач doctor даригер
food 0.7 продукт food питан азык
tent 1.5 палат tents шатыр
bedding 1.2 постел bedding тосек
plane 0.9 самолет plane aircraft ушак борт авиаборт
tonne 0.6 тонн tonne tons
convoy 1.0 конво convoy
handover 0.8 переда handover handed given тапсыр
return 0.7 верну возвращ return repatriat елге кайтар оралды
seminar 1.2 семинар seminar
forum 0.7 форум forum
conference 0.3 конференц conference
summit 0.9 саммит summit
briefing 1.0 брифинг briefing
table 1.2 кругл+стол roundtable round+table донгелек+устел
exhibition 1.2 выставк exhibition корме
training 0.5 обучени тренинг training оку
law 0.3 закон law+adopt законопроект bill
treaty 0.8 договор соглаш treaty agreement келисим меморандум memorandum
ratify 1.2 ратифи ratif
election 1.0 выбор election саилау
election2 1.0 референдум referendum
embassy 0.7 посольств embassy елшилик
ambassador 0.6 посол посла послу послом послы послов ambassador елши
credentials 1.5 верительн credentials сеним+грамот
order 0.9 орден award награ марапат
meeting 0.1 встреч встрет приня met meets meeting receiv кездес кабылда
visit 0.4 визит visit сапар
neutral 0.7 нейтрал neutral беитарап
initiative 0.3 инициатив initiative бастама
politics 0.4 политик politic саясат саяси
jordan 1.2 иордан jordan амман amman
war 0.3 воин war согыс
volunteer 0.7 волонт волонтер volunteer ерикти
blood 1.2 кров blood кан+тапсыр донор donor
missing 1.0 пропавш missing хабарсыз
mine 1.0 мины разминир landmine demin
climate 0.9 климат climate
water 0.5 вода воды водн water
school 0.8 школ school мектеп
hospital 0.8 больниц hospital аурухана
money 0.2 деньг тенге tenge dollar доллар
operation 0.5 операци operation
terror 0.9 терроризм терак terror лаңкес
trade 0.5 торгов trade сауда
energy 0.6 энергет energy
transit 0.6 транзит transit транспорт transport
peace 0.2 мир peace бейбит бітім
rights 0.4 права+человек human+rights адам+кукы
"""


def _load_lexicon() -> tuple[dict[str, float], dict[str, list[tuple[tuple[str, ...], str]]]]:
    weights: dict[str, float] = {}
    starts: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for line in _LINES.strip().splitlines():
        name, weight, *forms = line.split()
        weights[name] = float(weight)
        for form in forms:
            parts = tuple("".join(split_folded_words(part)) for part in form.split("+"))
            starts.setdefault(parts[0][:2], []).append((parts, name))
    return weights, starts


CONCEPT_WEIGHTS, _STARTS = _load_lexicon()
MIN_PREFIX_LETTERS = 4
"""A beginning of fewer letters must be the whole word."""


def find_concepts(words_of_text: tuple[str, ...]) -> frozenset[str]:
    """The concepts that folded words name."""
    found = set()
    for at, word in enumerate(words_of_text):
        for place in _list_candidates(word):
            parts, name = place
            if name not in found and _matches_phrase(parts, words_of_text, at):
                found.add(name)
    return frozenset(found)


@lru_cache(maxsize=50_000)
def _list_candidates(word: str) -> tuple[tuple[tuple[str, ...], str], ...]:
    """The concepts whose first beginning fits this word."""
    return tuple(
        (parts, name) for parts, name in _STARTS.get(word[:2], ()) if _matches_start(parts[0], word, len(parts) > 1)
    )


def _matches_phrase(parts: tuple[str, ...], of: tuple[str, ...], at: int) -> bool:
    """Whether each further part begins one of the two words after the one before."""
    for part in parts[1:]:
        following = (i for i in (at + 1, at + 2) if i < len(of) and _matches_start(part, of[i], True))
        at = next(following, -1)
        if at < 0:
            return False
    return True


def _matches_start(start: str, word: str, in_phrase: bool) -> bool:
    return word == start or (word.startswith(start) and (in_phrase or len(start) >= MIN_PREFIX_LETTERS))
