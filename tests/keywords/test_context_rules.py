"""How much each piece of evidence weighs for or against an ambiguous term. Every number of the weighing has a test."""

from __future__ import annotations

import pytest

from crawler.items import Match
from crawler.keywords import Matcher, parse_rules
from crawler.keywords.context_words import OPENING_BYTES

FAR = "Then nothing more was said about it for a good while. "


def make_matcher(terms: str, *contexts: str) -> Matcher:
    lists = "\n".join(f"[[rule.context]]\n{context}" for context in contexts)
    return Matcher(parse_rules(f'[[rule]]\nname = "one"\n{terms}\n{lists}\n'))


def find_one(matcher: Matcher, body: str, title: str | None = None, field: str = "body") -> Match:
    return next(match for match in matcher.find_matches({"title": title, "body": body}) if match.field == field)


WORDS = make_matcher(
    'terms.en = ["IHL"]', 'terms = ["IHL"]\nsupport = ["aid", "relief"]\nagainst = ["hockey", "league", "team"]'
)


@pytest.mark.parametrize(
    ("text", "strength"),
    [
        (f"IHL and aid. {FAR}Hockey. League.", "strong"),  # 2 for it, 1 and 1 against it
        (f"IHL and aid. {FAR}Hockey. League. Team.", "weak"),  # a close word weighs two, not three
        (f"IHL. {FAR}Aid. Hockey. League.", "weak"),
        (f"IHL. {FAR}Aid. Relief. Hockey. League. Team.", "weak"),
        (f"IHL. {FAR}Aid. Relief. Hockey. League.", "strong"),  # a far word weighs one, not nothing
        (f"IHL and hockey. {FAR}Aid.", "weak"),
        (f"IHL and hockey. {FAR}Aid. Relief.", "strong"),
        (f"IHL. {FAR}Hockey. Aid.", "strong"),
        (f"IHL and aid. {FAR}Hockey. League. Aid.", "strong"),  # the nearest place of a word counts
        (f"IHL and aid, aid, aid. {FAR}Hockey. League. Team.", "weak"),  # a word counts once
        (f"IHL {'x' * 38} aid. {FAR}Hockey. League.", "strong"),  # 40 characters between are close
        (f"IHL {'x' * 39} aid. {FAR}Hockey. League.", "weak"),
        (f"{FAR}Hockey. League. Aid {'x' * 38} IHL.", "strong"),
        (f"{FAR}Hockey. League. Aid {'x' * 39} IHL.", "weak"),
    ],
)
def test_a_word_close_to_the_term_counts_twice(text: str, strength: str) -> None:
    assert find_one(WORDS, text).strength == strength


REACH = make_matcher('terms.en = ["IHL"]', 'needs = "support"\nsupport = ["aid"]\nreach = 100')


@pytest.mark.parametrize(("gap", "strength"), [(98, "strong"), (99, "weak")])
@pytest.mark.parametrize("is_before", [True, False])
def test_reach_counts_characters_on_both_sides(gap: int, strength: str, is_before: bool) -> None:
    words = ["IHL", "x" * gap, "aid"]
    text = " ".join(reversed(words) if is_before else words)
    assert find_one(REACH, f"{'y' * 300} {text} {'y' * 300}").strength == strength


def test_reach_does_not_grow_with_the_longest_word() -> None:
    matcher = make_matcher(
        'terms.en = ["IHL"]', 'needs = "support"\nsupport = ["aid", "relief of the poor"]\nreach = 100'
    )
    far = f"relief of the poor {'y' * 300}"
    assert find_one(matcher, f"{far} aid {'x' * 98} IHL").strength == "strong"
    assert find_one(matcher, f"{far} aid {'x' * 99} IHL").strength == "weak"


def test_words_of_the_title_support_a_term_anywhere_in_the_body() -> None:
    body = "Nothing happened. " * 100 + "IHL was discussed."
    assert find_one(REACH, body, title="Aid").strength == "strong"
    assert find_one(REACH, body, title="Budget").strength == "weak"


def test_words_of_the_opening_support_a_term_in_the_title() -> None:
    filler = "x" * (OPENING_BYTES - 3)  # the folded body begins with a space, so the word begins at the last byte
    assert find_one(REACH, f"{filler} aid", "IHL at 75", "title").strength == "strong"
    assert find_one(REACH, f"{filler}x aid", "IHL at 75", "title").strength == "weak"
    assert find_one(REACH, "No word of it.", "IHL at 75", "title").strength == "weak"


def test_words_of_the_opening_weigh_one_for_a_term_in_the_title() -> None:
    assert find_one(WORDS, "Aid. Hockey.", "IHL", "title").strength == "strong"
    assert find_one(WORDS, "Aid. Hockey. League.", "IHL", "title").strength == "weak"
    assert find_one(WORDS, "Hockey. League.", "IHL and aid", "title").strength == "strong"
    assert find_one(WORDS, "Hockey. League. Team.", "IHL and aid", "title").strength == "weak"


def test_words_of_the_title_weigh_one_for_a_term_in_the_body() -> None:
    assert find_one(WORDS, "IHL and aid", "Hockey, league").strength == "strong"
    assert find_one(WORDS, "IHL and aid", "Hockey, league, team").strength == "weak"


def test_a_close_word_of_the_title_counts_twice_whatever_the_reach() -> None:
    context = 'terms = ["IHL"]\nsupport = ["aid"]\nagainst = ["hockey", "league"]\nreach = 0'
    matcher = make_matcher('terms.en = ["IHL"]', context)
    assert find_one(matcher, "Nothing.", f"IHL and aid. {FAR}Hockey. League.", "title").strength == "strong"


def test_a_word_inside_the_term_does_not_support_it() -> None:
    matcher = make_matcher('terms.en = ["Geneva Convention"]', 'needs = "support"\nsupport = ["Geneva"]')
    assert find_one(matcher, "Nothing.", "Geneva Convention", "title").strength == "weak"
    assert find_one(matcher, "Nothing.", "Geneva Convention in Geneva", "title").strength == "strong"
    assert find_one(matcher, "The Geneva Convention").strength == "weak"


ANCHORS = make_matcher(
    'terms.en = ["IHL", "Red Cross", "Red Crescent", "Red Crystal"]',
    'terms = ["IHL"]\nagainst = ["hockey", "league", "team", "club", "rink", "coach"]',
)


@pytest.mark.parametrize(
    ("text", "strength"),
    [
        (f"IHL. {FAR}Red Cross. Hockey. League.", "strong"),  # another strong term weighs two
        (f"IHL. {FAR}Red Cross. Hockey. League. Team.", "weak"),
        (f"IHL. {FAR}Red Cross. Red Crescent. Hockey. League. Team. Club.", "strong"),
        (f"IHL. {FAR}Red Cross. Red Crescent. Hockey. League. Team. Club. Rink.", "weak"),
        (f"IHL. {FAR}Red Cross. Red Crescent. Red Crystal. Hockey. League. Team. Club. Rink.", "weak"),  # two at most
        ("IHL. IHL. Hockey.", "weak"),  # a term is no anchor of itself
    ],
)
def test_other_strong_terms_weigh_two_each(text: str, strength: str) -> None:
    assert find_one(ANCHORS, text).strength == strength


def test_a_term_is_judged_again_after_its_anchors() -> None:
    matcher = make_matcher(
        'terms.en = ["IHL", "Red Cross"]',
        'terms = ["IHL"]\nneeds = "support"',
        'terms = ["Red Cross"]\nneeds = "support"\nsupport = ["aid"]',
    )
    assert find_one(matcher, "IHL. The Red Cross gave aid.").strength == "strong"
    assert find_one(matcher, "IHL. The Red Cross.").strength == "weak"


@pytest.mark.parametrize(
    ("text", "strength"),
    [
        (f"IHL met. {FAR}The IHL Group met.", "weak"),  # the same term with another meaning weighs one
        (f"IHL met. {FAR}Aid. The IHL Group met.", "strong"),
        (f"IHL met. {FAR}Aid. Hockey. The IHL Group met.", "weak"),
    ],
)
def test_another_meaning_of_the_same_term_weighs_one(text: str, strength: str) -> None:
    context = 'support = ["aid"]\nagainst = ["hockey"]\nnot_before = ["Group"]'
    assert find_one(make_matcher('terms.en = ["IHL"]', context), text).strength == strength


EXPANSION = make_matcher(
    'terms.en = ["IHL", "international humanitarian law"]',
    'terms = ["IHL"]\nsupport = ["aid", "relief"]\nagainst = ["hockey", "league", "team", "club", "rink", "coach"]',
)
SPELLED = "International humanitarian law (IHL). "


@pytest.mark.parametrize(
    ("text", "strength"),
    [
        # spelled out weighs three, and the long name is an anchor of two
        (f"{SPELLED}{FAR}{FAR}Hockey. League. Team. Club. Rink.", "strong"),
        (f"{SPELLED}{FAR}{FAR}Hockey. League. Team. Club. Rink. Coach.", "weak"),
        # another expansion elsewhere weighs three against it
        (f"IHL and aid, relief. {FAR}The Indian Hill Lodge opened.", "strong"),
        (f"IHL and aid. {FAR}{FAR}Relief. The Indian Hill Lodge opened.", "strong"),
        (f"IHL and aid. {FAR}The Indian Hill Lodge opened.", "weak"),
        # beside the term it decides
        ("IHL (Indian Hill Lodge) gives aid, relief.", "weak"),
    ],
)
def test_expansions_weigh_three(text: str, strength: str) -> None:
    match = next(match for match in EXPANSION.find_matches({"body": text}) if match.term == "IHL")
    assert match.strength == strength


NAME = make_matcher(
    'terms.en = ["Red Cross"]',
    'needs = "capitals"\nsupport = ["aid"]\nsupport_small = ["volunteer"]\nagainst = ["Templar"]\n'
    'against_small = ["flag"]\nno_support_near = ["video game"]\n'
    'unsure_before = ["shoes"]\nunsure_after = ["against the"]',
)


@pytest.mark.parametrize(
    ("text", "strength"),
    [
        ("The Red Cross came.", "strong"),
        ("The red cross came.", "weak"),
        ("A red cross and aid", "weak"),
        ("A red cross and a volunteer", "strong"),
        ("A Red Cross and a Templar", "weak"),
        ("A Red Cross, aid and a Templar", "strong"),  # with its capitals `support` counts, and a draw suffices
        ("A Red Cross, a volunteer and a Templar", "weak"),
        ("A red cross, a volunteer and a Templar", "weak"),
        ("We saw a Red Cross and a flag", "strong"),
        ("RED CROSS ON A FLAG", "weak"),  # capitals that mean nothing
        ("RED CROSS IN OSH", "strong"),
        ("We saw a red cross, a volunteer and a flag", "weak"),
        ("The Red Cross in a video game", "weak"),
        ("The Red Cross, aid in a video game", "weak"),
        ("They are against the Red Cross.", "weak"),
        ("They are against the Red Cross and its aid.", "strong"),
        ("He wore Red Cross shoes.", "weak"),
        ("He wore Red Cross shoes and gave aid.", "strong"),
    ],
)
def test_lists_for_small_letters_jokes_and_doubtful_phrases(text: str, strength: str) -> None:
    assert find_one(NAME, text).strength == strength


@pytest.mark.parametrize(
    ("text", "strength"),
    [("Shops of the Red Cross", "weak"), ("The inn Red Cross", "weak"), ("The inns Red Cross", "strong")],
)
def test_phrases_beside_a_term_may_begin_or_be_exact(text: str, strength: str) -> None:
    matcher = make_matcher('terms.en = ["Red Cross"]', 'not_after = ["of the", "=inn"]')
    assert find_one(matcher, text).strength == strength


def test_phrases_follow_the_ending_behind_a_hyphen() -> None:
    context = 'needs = "support"\nsure_before = ["адалдық", "head"]'
    matcher = make_matcher('terms.kk = ["ХГҚ"]\nterms.en = ["Red Cross"]', context)
    assert find_one(matcher, "ХГҚ-ға адалдық").strength == "strong"
    assert find_one(matcher, "Red Cross’s head").strength == "strong"
    assert find_one(matcher, "ХГҚ-Астана адалдық").strength == "weak"


def test_only_other_terms_support_a_term_near_a_joke() -> None:
    context = 'terms = ["IHL"]\nsupport = ["aid"]\nno_support_near = ["meme"]'
    matcher = make_matcher('terms.en = ["IHL", "Red Cross"]', context)
    assert find_one(matcher, "IHL and aid: a meme").strength == "weak"
    assert find_one(matcher, f"IHL: a meme. {FAR}Red Cross.").strength == "strong"
    assert find_one(matcher, "IHL and aid: a meme").reason == "more speaks against it ('meme') than for it"
