"""What the picture of the data says of the real market."""

import pytest

from features import feature_matrix
from features.breakout_cells import list_grid
from features.flow_episodes import flow_quarantine
from features.flow_universe import WHOLE, leave_one_out
from training.data.altcoins import EQUAL, LESS, altcoin_levels, correlations
from training.data.breadth import by_session, by_year
from training.data.breakouts import same_everywhere
from training.data.report import write_data_report


def test_breakouts_of_the_registered_cell_hang_on_the_parameters(real_market):
    grid = list_grid(real_market, ["R2000"])
    cell = grid[(grid["base"] == 252) & (grid["tolerance"] == 0.015)]
    assert cell["confirmed"].dt.strftime("%Y-%m").tolist() == ["2011-04", "2013-01", "2016-11", "2020-11"]
    assert cell["end"].tolist() == ["failed", "retest_held", "retest_held", "ran_away"]
    assert same_everywhere(grid) == (4, 1)
    tight = grid[(grid["base"] == 252) & (grid["tolerance"] == 0.010)]
    assert tight["end"].tolist() == ["failed", "ran_away", "ran_away", "ran_away"]


def test_flows_of_the_year_are_those_of_the_feature(real_market):
    left = leave_one_out(flow_quarantine(real_market).totals)
    whole = left[left["left_out"] == WHOLE].set_index("year")
    ytd = feature_matrix(real_market)["flows__ytd_usd"].dropna()
    assert whole["without_usd"].iloc[-1] == pytest.approx(ytd.iloc[-1])
    # the guard makes a difference of a billion in the year of three reversed creations
    assert whole.loc[2011, "without_usd"] < whole.loc[2011, "with_usd"] - 1e9
    assert whole.index[0] == 2009


def test_altcoin_indices_agree_on_their_own_days(real_market):
    pairs = correlations(altcoin_levels(real_market)).set_index(["index", "other"])
    assert pairs.loc[(EQUAL, LESS), "correlation"] > 0.9
    assert pairs.loc[(EQUAL, LESS), "n"] == 1984
    assert len(pairs) == 6


def test_most_clipped_returns_are_of_early_years(real_market):
    tables = by_session(real_market)
    clipped = by_year(tables["panel"])["clipped"]
    assert clipped.idxmax() == 2016
    assert clipped[:2017].sum() > 10 * clipped[2018:].sum()
    assert by_year(tables["members"]).index[0] == 2016


@pytest.mark.slow
def test_page_of_the_real_market_is_small_and_names_what_to_distrust(real_market, tmp_path):
    path = write_data_report(real_market, tmp_path / "data.html", lambda *_: None)
    assert path.stat().st_size < 1_500_000
    page = path.read_text(encoding="utf-8")
    for words in ("every sign is that of IWM alone", "the same, end and all, in every cell: 1 of 4", "survivorship-biased: its breadth"):
        assert words in page
