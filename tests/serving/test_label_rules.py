import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.errors import LabelError
from serving.label_rules import SAME, Book, Said, Sorted, is_same, label_columns, sort_out
from tests.serving.labels import DAYS, said


def days(answers: tuple[Said, ...]) -> list[int]:
    return [DAYS.index(each.session) for each in answers]


def book(**owners: str) -> Book:
    """Book of days d0, d1 ... published by these versions at .9."""
    return Book({DAYS[int(day[1:])]: (version, said(int(day[1:]))) for day, version in owners.items()})


def test_first_version_publishes_all_it_says_in_order():
    done = sort_out(Book({}), "1", [said(2), said(0), said(1)])
    assert days(done.published) == [0, 1, 2]
    assert done.compared == done.left_out == ()


def test_new_version_goes_on_after_the_last_published_session_and_the_rest_is_compared():
    done = sort_out(book(d0="1", d1="1"), "2", [said(day) for day in range(4)])
    assert (days(done.published), days(done.compared)) == ([2, 3], [0, 1])


def test_same_version_that_says_the_same_again_is_no_news_and_rounding_is_the_same():
    again = [said(0), said(1, 0.9 + SAME / 2)]
    assert sort_out(book(d0="1", d1="1"), "1", again) == Sorted((), (), ())


@pytest.mark.parametrize(
    "other",
    [
        said(0, 0.9 + 2 * SAME),
        said(0, regime="unidentified"),
        said(0, low=0.8, high=0.95),
        Said(DAYS[0], "risk_on", {"risk_on": 0.9}, None, None, "walk"),
    ],
)
def test_same_version_that_says_otherwise_is_compared_once(other):
    before = book(d0="1")
    assert not is_same(said(0), other)
    assert sort_out(before, "1", [other]).compared == (other,)
    noted = Book(before.published, {(DAYS[0], "1"): [other]})
    assert sort_out(noted, "1", [other]) == Sorted((), (), ())
    assert sort_out(noted, "2", [other]).compared == (other,)  # another version's word is its own


def test_session_that_was_passed_over_is_filled_by_the_version_that_published_the_next_one_alone():
    before = book(d0="1", d2="2", d5="3")
    assert days(sort_out(before, "2", [said(1)]).published) == [1]
    for version in ("1", "3", "4"):
        done = sort_out(before, version, [said(1)])
        assert (done.published, days(done.left_out)) == ((), [1])
    assert days(sort_out(before, "3", [said(3), said(4)]).published) == [3, 4]


def test_sessions_before_the_series_begins_are_left_out_by_later_versions():
    done = sort_out(book(d3="1", d4="1"), "2", [said(day) for day in range(6)])
    assert (days(done.left_out), days(done.compared), days(done.published)) == ([0, 1, 2], [3, 4], [5])


def test_session_twice_is_refused_by_its_date():
    with pytest.raises(LabelError, match=f"session {DAYS[1]} is there twice"):
        sort_out(Book({}), "1", [said(1), said(0), said(1, 0.2)])


def plain_loop(published: dict, revised: dict, version: str, answers: list[Said]) -> Sorted:
    """The rules again, session by session over the whole calendar and without an order of any kind to rely on."""
    new, compared, left_out = [], [], []
    for number, day in enumerate(DAYS[:12]):
        for each in answers:
            if each.session != day:
                continue
            if day in published:
                known = [first for owner, first in [published[day]] if owner == version] + revised.get((day, version), [])
                if all(abs(one.probabilities["risk_on"] - each.probabilities["risk_on"]) > SAME for one in known):
                    compared.append(each)
                continue
            later = [published[other][0] for other in DAYS[number:12] if other in published]
            (new if not later or later[0] == version else left_out).append(each)
    return Sorted(tuple(new), tuple(compared), tuple(left_out))


CALLS = st.lists(
    st.tuples(st.sampled_from("123"), st.dictionaries(st.integers(0, 11), st.sampled_from([0.2, 0.6, 0.9]), max_size=6)), max_size=8
)


@given(CALLS)
def test_any_sequence_of_calls_is_sorted_as_by_a_plain_loop(calls):
    published: dict[str, tuple[str, Said]] = {}
    revised: dict[tuple[str, str], list[Said]] = {}
    for version, spoken in calls:
        answers = [said(day, p) for day, p in spoken.items()]
        done = sort_out(Book(published, revised), version, answers)
        assert done == plain_loop(published, revised, version, answers)
        assert {repr(each) for each in (*done.published, *done.compared, *done.left_out)} <= set(map(repr, answers))
        published = published | {each.session: (version, each) for each in done.published}
        for each in done.compared:
            revised.setdefault((each.session, version), []).append(each)
        again = sort_out(Book(published, revised), version, answers)
        assert again.published == again.compared == ()


def test_label_columns_are_those_of_the_regime_and_not_of_forecasts():
    columns = ["session", "status", "regime", "p_risk_on", "p_risk_on_lo", "BTC_5_p_up", "BTC_5_median"]
    assert label_columns(columns) == columns[:5]
