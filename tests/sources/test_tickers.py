import json

from hypothesis import given
from hypothesis import strategies as st

from sources.tickers import Tickers, read_tickers


def read(folder, pairs: list[tuple[int, str]]) -> Tickers:
    entries = {str(place): {"cik_str": cik, "ticker": ticker, "title": "x"} for place, (cik, ticker) in enumerate(pairs)}
    (folder / "tickers.json").write_text(json.dumps(entries))
    return read_tickers(folder / "tickers.json", "tickers.json")


def test_first_ticker_of_a_company_is_its_name(tmp_path):
    found = read(tmp_path, [(7, "GOOG"), (7, "GOOGL"), (8, "BRK-B")])
    assert found == Tickers({"0000000007": "GOOG", "0000000008": "BRK-B"}, ())


def test_ticker_of_two_companies_is_given_to_none(tmp_path):
    found = read(tmp_path, [(7, "AAA"), (8, "AAA"), (8, "BBB"), (9, "CCC"), (9, "CCC")])
    assert found == Tickers({"0000000008": "BBB", "0000000009": "CCC"}, ("AAA",))


def test_few_entries_that_are_none_are_left_out(tmp_path):
    pairs = [(cik, f"T{cik}") for cik in range(1, 200)]
    assert len(read(tmp_path, [*pairs, (0, "ZERO")]).names) == 199


@given(st.lists(st.tuples(st.integers(1, 6), st.sampled_from(["A", "B", "C", "D"])), min_size=1, max_size=20))
def test_no_two_companies_share_a_name(tmp_path_factory, pairs):
    found = read(tmp_path_factory.mktemp("t"), pairs)
    assert len(set(found.names.values())) == len(found.names)
    # and each name is one that the list gives to that company alone
    for cik, ticker in found.names.items():
        assert {each for each, name in pairs if name == ticker} == {int(cik)}
    assert set(found.shared) == {name for name in "ABCD" if len({cik for cik, each in pairs if each == name}) > 1}
