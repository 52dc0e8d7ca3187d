"""Test how links, separations and a person's decisions make stories."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from crawler.similarity.stories import StoryLink, StoryOverride, find_connected, group_stories

NAMES = "abcdefg"
LINKS = st.builds(
    StoryLink,
    a=st.sampled_from(NAMES),
    b=st.sampled_from(NAMES),
    score=st.sampled_from([1.0, 2.0, 3.0]),
    is_certain=st.booleans(),
)
PAIRS = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda pair: pair[0] != pair[1])


@given(st.lists(LINKS, max_size=12), st.lists(PAIRS, max_size=4), st.randoms())
def test_stories_do_not_depend_on_an_order(
    links: list[StoryLink], apart: list[tuple[str, str]], rng: random.Random
) -> None:
    found = group_stories(NAMES, links, apart)
    shuffled, turned = list(links), [(b, a) for a, b in apart]
    rng.shuffle(shuffled)
    assert group_stories(reversed(NAMES), shuffled, turned) == found
    assert sorted(name for members in found for name in members) == list(NAMES)


def test_separated_pair_is_not_joined_through_a_third() -> None:
    links = [StoryLink(a="a", b="b", score=5), StoryLink(a="b", b="c", score=4)]
    assert group_stories("abc", links, [("a", "c")]) == [["a", "b"], ["c"]]


def test_a_person_overrides_the_comparison_and_earlier_decisions() -> None:
    sure = [StoryLink(a="a", b="b", is_certain=True)]
    apart = StoryOverride(a="a", b="b", is_together=False)
    assert group_stories("ab", sure, (), [apart]) == [["a"], ["b"]]
    assert group_stories("ab", [], [("a", "b")], [apart, StoryOverride(a="b", b="a", is_together=True)]) == [["a", "b"]]


def test_everything_that_can_be_reached_is_connected() -> None:
    neighbours = {1: {2}, 2: {3}, 3: {1}, 4: {5}}
    assert find_connected([1], lambda edge: {near for each in edge for near in neighbours.get(each, ())}) == {1, 2, 3}
