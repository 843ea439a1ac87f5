"""Walks against a search through every way."""

from hypothesis import given
from hypothesis import strategies as st

from features.walks import MAX_STEPS, YEAR, graph, walks_back

QUARTERS = st.tuples(st.integers(0, 9), st.sampled_from([1, 1, 1, 2, 3, 4])).map(lambda each: (91 * each[0], 91 * (each[0] + each[1])))


def every_way(periods: list[tuple[int, int, int]], end: int) -> dict[tuple[bool, int], set[int]]:
    """Where each way of at most MAX_STEPS leads, by whether no fiscal year is on it and its length."""
    found: dict[tuple[bool, int], set[int]] = {}
    ways = [(end, True)]
    for steps in range(1, MAX_STEPS + 1):
        following = set()
        for at, plain in ways:
            for left, right, _ in periods:
                for here, there in ((left, right), (right, left)):
                    if here == at:
                        following.add((there, plain and not YEAR[0] <= right - left <= YEAR[1]))
        ways = sorted(following)
        for at, plain in ways:
            if YEAR[0] <= end - at <= YEAR[1]:
                found.setdefault((plain, steps), set()).add(at)
    return found


@given(st.lists(QUARTERS, min_size=1, max_size=7, unique=True))
def test_the_shortest_ways_are_found(drawn: list[tuple[int, int]]) -> None:
    periods = [(left, right, number) for number, (left, right) in enumerate(drawn, 1)]
    for end in sorted({right for _, right, _ in periods}):
        walks = walks_back(graph(periods), end)
        ways = every_way(periods, end)
        assert bool(walks) == bool(ways)
        if not walks:
            continue
        _, length = min(ways)
        assert {len(walk) for walk in walks} == {length}
        for walk in walks:
            at = end
            for number in walk:  # each step goes on from where the last one led
                left, right, _ = periods[abs(number) - 1]
                here, there = (right, left) if number > 0 else (left, right)
                assert here == at
                at = there
            assert at in ways[min(ways)]


def test_a_walk_over_a_fiscal_year_is_preferred_to_a_shorter_plain_one() -> None:
    quarters = [(0, 91, 1), (91, 182, 2), (182, 273, 3), (273, 364, 4)]
    assert walks_back(graph(quarters), 364) == [(4, 3, 2, 1)]
    year_before = (-91, 273, 5)  # 364 days to 273; with the quarters since and a year before: 4, 5, then -(-91..0)
    assert walks_back(graph([*quarters, year_before, (-91, 0, 6)]), 364) == [(4, 5, -6)]
