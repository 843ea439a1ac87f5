"""The numbers of the picture of the data against plain loops; markets without a family say so."""

import numpy as np
import pandas as pd
import pytest

from features.breakout_cells import list_grid
from tests.features.handmade import coins, funds, market, panel, sessions
from training.claims.listing import list_cells, render_cells
from training.data.altcoins import altcoin_section, coins_by_day, correlations, level_table
from training.data.breadth import by_session, by_year, year_table
from training.data.breakouts import confirmation_table, ends_by_cell, same_everywhere
from training.data.flows import flow_section, last_print
from training.data.report import write_data_report

DAYS = sessions(600)


@pytest.fixture(scope="module")
def grid(sample_market) -> pd.DataFrame:
    return list_grid(sample_market)


def test_confirmations_that_all_cells_share_equal_a_loop(grid):
    for _, own in grid.groupby("series"):
        cells: dict[tuple[int, float], set[tuple[pd.Timestamp, str]]] = {}
        for row in own.to_dict("records"):
            cells.setdefault((row["base"], row["tolerance"]), set()).add((row["confirmed"], row["end"]))
        registered = {each for each in cells[252, 0.015] if not pd.isna(each[0])}
        shared = [each for each in registered if all(each in cell for cell in cells.values())]
        assert same_everywhere(own) == (len(registered), len(shared))


def test_grid_table_holds_each_end_in_its_cell(grid):
    own = grid[grid["series"] == "R2000"]
    wide = ends_by_cell(own)
    assert wide.shape[1] == 9
    words = {"retest_held": "held", "failed": "failed", "ran_away": "ran away", "open": "open"}
    for row in own.dropna(subset="confirmed").to_dict("records"):
        assert str(wide.loc[row["confirmed"], (row["base"], row["tolerance"])]).rstrip("!") == words[row["end"]]
    assert wide.notna().to_numpy().sum() == own["confirmed"].notna().sum()
    assert len(confirmation_table(grid).rows) == len(grid)


def test_grid_on_screen_fits_and_counts(sample_market, grid):
    lines = render_cells(list_cells(sample_market, [])).splitlines()
    assert lines[0] == "SIMULATED market"
    assert max(map(len, lines)) <= 100
    confirmed = next(line.split()[1:] for line in lines if line.startswith("confirmed ") and "margin" not in line)
    own = grid[grid["series"] == "R2000"]
    assert [int(n) for n in confirmed] == own.groupby(["base", "tolerance"])["confirmed"].count().tolist()


def fund_market(*names: str):
    frames = [funds(DAYS, 1e6 + 1e2 * np.arange(len(DAYS)) * (-1) ** k * (3 - k), fund=name) for k, name in enumerate(names)]
    return market(DAYS, funds=pd.concat(frames, ignore_index=True))


def test_sign_words_name_the_fund_that_makes_the_year():
    source = fund_market("A", "B")  # A gains three times what B loses twice: without A every year turns
    section = flow_section(source, pd.DataFrame(index=DAYS))
    assert "it turns in 2015, 2016, 2017 without A." in section.findings[0]
    alone = flow_section(fund_market("A"), pd.DataFrame(index=DAYS))
    assert "every sign is that of A alone" in alone.findings[0]


def test_recent_flows_have_a_row_a_fund_the_universe_and_each_left_out(sample_market):
    section = flow_section(sample_market, pd.DataFrame(index=sample_market.sessions))
    (recent, _) = section.tables
    assert [row[0] for row in recent.rows] == ["IWM", "VTWO", "universe", "universe without IWM", "universe without VTWO"]
    number = {row[0]: [float(cell.replace(",", "")) for cell in row[1:]] for row in recent.rows}
    for k in range(4):
        assert number["IWM"][k] + number["VTWO"][k] == pytest.approx(number["universe"][k], abs=1.1)  # rounded to millions
        assert number["universe without IWM"][k] == number["VTWO"][k]


def test_last_print_is_the_newest_that_the_last_session_could_use():
    assert last_print(fund_market("A")) == DAYS[-2]


def test_flags_are_counted(sample_market):
    flags = pd.DataFrame({"flows__heartbeat": np.nan, "flows__reconstitution": 0.0}, index=sample_market.sessions)
    flags.iloc[10:, 0] = 0.0
    flags.iloc[[20, 30, -1], 0] = 1.0
    table = flow_section(sample_market, flags).tables[1]
    n = len(flags)
    last = f"{flags.index[-1]:%Y-%m-%d}"
    assert table.rows == [
        ["heartbeat", "3", f"{3 / (n - 10):.1%}", "1", str(n - 10), last],
        ["reconstitution", "0", "0.0%", "0", str(n), "never"],
    ]


def test_pairs_of_altcoin_indices_are_correlated_on_common_days_alone():
    rng = np.random.default_rng(0)
    days = pd.date_range("2020-01-01", periods=60, freq="D")
    moves = rng.standard_normal((60, 2)) @ [[1.0, 0.6], [0.0, 0.8]] / 50
    one, two = (pd.Series(np.exp(np.cumsum(moves[:, k])), index=days) for k in range(2))
    two = two.drop(days[[10, 11, 30]])
    got = correlations({"one": one, "two": two, "none": one.iloc[:0]})
    whole = [k for k in range(1, 60) if days[k] in two.index and days[k - 1] in two.index]
    pairs = [[np.log(each[days[k]] / each[days[k - 1]]) for each in (one, two)] for k in whole]
    assert got[["index", "other", "n"]].to_numpy().tolist() == [["one", "two", len(pairs)]]
    assert got["correlation"].iloc[0] == pytest.approx(np.corrcoef(np.array(pairs).T)[0, 1])


def test_missing_days_and_largest_move_are_of_the_index_alone():
    days = pd.date_range("2020-01-01", periods=5, freq="D").delete(2)
    (row,) = level_table({"x": pd.Series([1.0, 2.0, 20.0, 19.0], index=days)}).rows
    assert row == ["x", "2020-01-01", "2020-01-05", "4", "1", "+100% on 2020-01-02"]  # over the hole there is no daily move


def test_coins_of_a_day_are_counted_and_pegs_named():
    flat = coins("PEGGED", "2020-01-01", np.full(120, 1.001))
    moving = [coins(name, "2020-01-01", 5 + np.arange(120.0)) for name in ("AAA", "BBB", "BTC", "USDT")]
    source = market(DAYS, coins=pd.concat([flat, *moving, coins("CCC", "2020-02-01", 7 + np.arange(89.0))], ignore_index=True))
    by_day = coins_by_day(source)
    assert by_day["2020-01-02":"2020-01-31"].eq(3).all()
    assert by_day["2020-02-02":].eq(4).all()
    section = altcoin_section(source, (DAYS[0], pd.Timestamp("2021-01-01")))
    assert any("not listed as such: PEGGED." in words for words in section.findings)
    assert [each.name for each in section.strips] == ["equal weight", "cap weight", "TOTAL3 as published", "TOTAL3 less stablecoins"]
    assert section.strips[2].note == "no values"


def test_clipped_returns_and_ties_by_year_equal_a_loop():
    rng = np.random.default_rng(4)
    closes = 50 * np.exp(np.cumsum(0.02 * rng.standard_normal((len(DAYS), 6)), axis=0))
    closes[300, 2] *= 10  # up by a factor ten and back: two clipped returns
    closes[100, 4] *= 10
    closes[:, 5] = 20.0  # never moves: a tie on every session with 50 closes
    closes[:150, 1] = np.nan
    table = by_session(market(DAYS, panel=panel(DAYS, closes)))
    yearly = by_year(table["panel"])
    clipped, ties = dict.fromkeys(yearly.index, 0), dict.fromkeys(yearly.index, 0)
    for t, session in enumerate(DAYS):
        for k in range(6):
            if t and abs(np.log(closes[t, k] / closes[t - 1, k])) > np.log(4):
                clipped[session.year] += 1
        ties[session.year] += t >= 49
    assert yearly["clipped"].to_dict() == clipped
    assert sum(clipped.values()) == 4
    assert yearly["ties_50"].to_dict() == ties
    assert (yearly["mean"] == 1).all()
    assert by_year(table["members"]).empty
    assert year_table(table, "members").rows == []


def test_coverage_by_year_equals_a_loop(sample_market):
    own = by_session(sample_market)["members"]
    yearly = by_year(own)
    for year, row in yearly.iterrows():
        shares = [p / e for p, e, s in zip(own["priced"], own["expected"], own.index, strict=True) if s.year == year and e > 0]
        assert row["mean"] == pytest.approx(np.mean(shares))
        assert row["lowest"] == min(shares)
        assert row["covered"] == pytest.approx(np.mean([share >= 0.8 for share in shares]))
        assert own["coverage"][row["on"]] == row["lowest"]


def test_market_of_prices_alone_is_drawn_and_says_what_it_lacks(tmp_path):
    page = write_data_report(market(DAYS), tmp_path / "data.html", lambda *_: None).read_text(encoding="utf-8")
    assert "No fund flows: the family is empty." in page
    assert "No constituents: breadth is empty." in page
    assert "No values of the altcoin indices equal weight, cap weight, TOTAL3 as published, TOTAL3 less stablecoins." in page
