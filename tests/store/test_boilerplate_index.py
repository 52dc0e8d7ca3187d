"""Test that a sample of a passage's clusters never finds more of them than there are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crawler.similarity.stories import find_connected
from crawler.store.candidate_index import MIN_BOILERPLATE_CLUSTERS, has_enough_clusters

NUMBERS = range(1, 13)
PAIRS = st.sets(st.tuples(st.sampled_from(NUMBERS), st.sampled_from(NUMBERS)), max_size=10)


def count_clusters(numbers: set[int], pairs: set[tuple[int, int]]) -> int:
    """Return into how many clusters the pairs join these articles, without any other."""
    left, count = set(numbers), 0
    while left:
        left -= find_connected(
            [min(left)], lambda edge: {each for pair in pairs if edge & {*pair} for each in pair if {*pair} <= numbers}
        )
        count += 1
    return count


@given(PAIRS, st.sets(st.sampled_from(NUMBERS)))
def test_sample_proves_only_what_is_true(pairs: set[tuple[int, int]], ignored: set[int]) -> None:
    clusters = {
        number: min(find_connected([number], lambda edge: {each for pair in pairs if edge & {*pair} for each in pair}))
        for number in NUMBERS
    }
    has_enough = has_enough_clusters(clusters, ignored.intersection)
    if has_enough:
        assert count_clusters(set(NUMBERS) - ignored, pairs) >= MIN_BOILERPLATE_CLUSTERS
    if not pairs and not ignored:
        assert has_enough
