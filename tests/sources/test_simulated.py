import numpy as np
import pandas as pd
import pytest

from features.errors import DataError
from features.schemas import SCHEMAS
from sources.simulated import simulate, simulate_market
from sources.simulated.regimes import BURN, draw_regimes, stationary

SMALL = {"years": 4, "n_stocks": 40}


@pytest.fixture(scope="module")
def default():
    return simulate(n_stocks=60)


@pytest.fixture(scope="module")
def small():
    return simulate(seed=3, **SMALL)


def session_returns(coins: pd.DataFrame, asset: str, sessions: pd.DatetimeIndex) -> pd.Series:
    close = coins[coins["asset"] == asset].set_index("date")["close"].reindex(sessions)
    return np.log(close).diff()


def test_same_arguments_give_the_same_market(small):
    assert simulate_market(seed=3, **SMALL).fingerprint() == small.market.fingerprint()


def test_another_seed_gives_another_market(small):
    other = simulate_market(seed=4, **SMALL)
    assert not other.prices["close"].equals(small.market.prices["close"])


@pytest.mark.parametrize("changed", [{"effect": 0.0}, {"effect": 0.02}, {"lag": 3}])
def test_effect_and_lag_change_only_the_coins(small, changed):
    other = simulate_market(seed=3, **SMALL, **changed)
    for name in SCHEMAS:
        same = getattr(other, name).equals(getattr(small.market, name))
        assert same == (name != "coins"), name
    assert other.panel.close.equals(small.market.panel.close)
    assert other.coins[["asset", "date", "known_at"]].equals(small.market.coins[["asset", "date", "known_at"]])


def test_number_of_stocks_leaves_prices_and_coins_alone(small):
    other = simulate_market(seed=3, years=4, n_stocks=20)
    assert other.prices.equals(small.market.prices)
    assert other.coins.equals(small.market.coins)


def test_effect_is_exactly_the_difference_of_the_coins_returns(small):
    # same draws: with and without the effect, the log returns of a session differ by the planted response alone
    null = simulate(seed=3, effect=0.0, **SMALL)
    sessions = small.market.sessions
    assert (null.response == 0).all()
    for asset in ("BTC", "ETH", "XRP"):
        planted = session_returns(small.market.coins, asset, sessions)
        gap = (planted - session_returns(null.market.coins, asset, sessions)).dropna()
        np.testing.assert_allclose(gap, small.response[gap.index], atol=1e-12)


def test_response_follows_the_state_by_the_lag(default):
    on = (default.states == 0).to_numpy()
    expected = default.effect * (on[: -default.lag] - default.share_on)
    np.testing.assert_allclose(default.response.to_numpy()[default.lag :], expected, atol=1e-15)


def test_states_can_be_recovered_from_volatility_and_dwell(default):
    close = default.market.prices.query("series == 'R2000'").set_index("date")["close"]
    returns = np.log(close).diff()
    for state in (0, 1):
        inside = returns[default.states == state].dropna()
        # three standard errors of a standard deviation, and of a mean
        assert abs(inside.std() / default.sigmas[state] - 1) < 3 / np.sqrt(2 * len(inside))
        assert abs(inside.mean() - default.means[state]) < 3 * default.sigmas[state] / np.sqrt(len(inside))
    switches = (default.states.diff().abs() > 0).mean()
    expected = default.share_on * default.transitions[0, 1] * 2
    assert abs(switches - expected) < 3 * np.sqrt(expected / len(default.states))


def test_stationary_law_is_left_unchanged_by_the_transitions():
    trans = np.array([[0.9, 0.08, 0.02], [0.1, 0.85, 0.05], [0.05, 0.15, 0.8]])
    law = stationary(trans)
    np.testing.assert_allclose(law @ trans, law, atol=1e-12)
    assert law.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(stationary(np.array([[0.99, 0.01], [0.03, 0.97]])), [0.75, 0.25], atol=1e-12)


def test_three_states_are_ordered_by_volatility():
    found = simulate(seed=1, n_states=3, years=13, n_stocks=10)
    returns = np.log(found.market.prices.query("series == 'R2000'").set_index("date")["close"]).diff()
    spread = returns.groupby(found.states).std()
    assert list(spread.index) == [0, 1, 2]
    assert spread.is_monotonic_increasing
    assert found.state_names == ("on", "mixed", "off")


def test_own_law_of_returns_is_used():
    rng = np.random.default_rng(0)
    found = draw_regimes(20_000, 2, rng, means=(0.0, 0.0), sigmas=(0.011, 0.016), dof=5)
    inside = found.returns[found.states == 1]
    assert inside.std() == pytest.approx(0.016, rel=0.05)
    assert pd.Series(inside).kurt() > 1.0
    assert len(found.returns) == BURN + 20_000


def test_coins_trade_every_calendar_day_and_start_staggered(default):
    coins, sessions = default.market.coins, default.market.sessions
    btc = coins[coins["asset"] == "BTC"]
    assert len(btc) == (sessions[-1] - sessions[0]).days + 1
    begins = coins.groupby("asset")["date"].min()
    assert begins["BTC"] == sessions[0]
    assert begins["ETH"] > sessions[0]
    assert begins.nunique() >= 8
    assert len(begins) >= 14
    silent = coins[coins["asset"] == "XRP"]["date"].diff().max()
    assert silent > pd.Timedelta(days=60)


def test_caps_exist_for_some_coins_and_end_early(default):
    capped = default.market.coins.dropna(subset=["market_cap"])
    assert {"BTC", "ETH"} < set(capped["asset"]) < set(default.market.coins["asset"])
    assert capped["date"].max() < default.market.sessions[-1] - pd.Timedelta(days=365)


def test_small_caps_make_record_highs_and_break_out_of_long_bases(default):
    close = default.market.prices.query("series == 'R2000'").set_index("date")["close"].to_numpy()
    record = np.flatnonzero(close[1:] > np.maximum.accumulate(close)[:-1]) + 1
    assert len(record) > 60
    assert (np.diff(record) >= 252).sum() >= 2


def test_stocks_load_on_small_caps_and_come_and_go(default):
    panel = default.market.panel.close
    index = default.market.prices.query("series == 'R2000'").set_index("date")["close"]
    mean = np.log(panel).diff().mean(axis=1)
    assert mean.corr(np.log(index).diff()) > 0.9
    listed, gone = panel.apply(pd.Series.first_valid_index), panel.apply(pd.Series.last_valid_index)
    assert 0.1 < (listed > panel.index[30]).mean() < 0.5
    assert 0.08 < (gone < panel.index[-30]).mean() < 0.3
    assert panel.dtypes.eq(np.float64).all()
    inner = sum(int(panel[name].loc[listed[name] : gone[name]].isna().sum()) for name in panel)
    assert inner > 0


def test_members_are_known_before_they_enter_and_never_overlap(default):
    members = default.market.members
    assert (members["known_at"].dt.tz_localize(None) < members["start"]).all()
    ordered = members.sort_values(["security", "start"])
    before = ordered.groupby("security")["end"].shift()
    assert (ordered["start"] >= before)[before.notna()].all()
    assert (members["end"].isna() | (members["end"] > members["start"])).all()
    june = members["start"][members["start"].dt.month == 6]
    assert (june.dt.day >= 22).all()
    assert len(june) > len(members) / 3


def test_members_are_mostly_priced_while_they_belong(default):
    panel, members = default.market.panel.close, default.market.members
    day = default.market.sessions[2000]
    inside = members[(members["start"] <= day) & ~(members["end"] <= day)]["security"]
    assert len(inside) > 0.6 * panel.shape[1]
    assert panel.loc[day, inside].notna().mean() > 0.95


def test_funds_hold_whole_units_split_once_and_misprint(default):
    iwm = default.market.funds.query("fund == 'IWM'").set_index("date")
    assert (iwm["split"] == 2.0).sum() == 1
    day = iwm.index[iwm["split"] == 2.0][0]
    place = iwm.index.get_loc(day)
    assert iwm["nav"].iloc[place] / iwm["nav"].iloc[place - 1] == pytest.approx(0.5, rel=0.1)
    jumps = (iwm["shares_outstanding"] / (iwm["shares_outstanding"].shift() * iwm["split"]) - 1).abs()
    # two misprints and two episodes, each out and back
    assert (jumps > 0.08).sum() == 8
    assert default.market.funds.query("fund == 'VTWO'")["split"].eq(1.0).all()


def test_flows_follow_past_returns(default):
    market = default.market
    funds = market.funds.query("fund == 'IWM'").set_index("date")
    rate = funds["shares_outstanding"] / (funds["shares_outstanding"].shift() * funds["split"]) - 1
    month = rate.mask(rate.abs() > 0.08).rolling(21, min_periods=15).sum()
    close = market.prices.query("series == 'R2000'").set_index("date")["close"]
    past = np.log(close).diff(42).shift(3)
    assert month.corr(past) > 0.2


def test_filings_lag_their_periods_and_losses_persist(default):
    filings = default.market.filings
    lag = (filings["known_at"].dt.tz_localize(None) - filings["period_end"]).dt.days
    assert lag.min() >= 30
    assert lag[filings["form"] == "10-K"].min() >= 54
    length = (filings["period_end"] - filings["period_start"]).dt.days + 1
    assert length[filings["form"] == "10-K"].isin([365, 366]).all()
    assert length[filings["form"] == "10-Q"].between(89, 92).all()
    years = filings[filings["form"] == "10-K"].drop_duplicates(["security", "period_end"]).sort_values(["security", "period_end"])
    loss = years["net_income"] < 0
    assert 0.25 < loss.mean() < 0.48
    before = loss.groupby(years["security"]).shift()
    assert (loss == before)[before.notna()].mean() > 0.85


def test_some_filings_are_restated_later(default):
    filings = default.market.filings
    key = ["security", "period_start", "period_end"]
    again = filings[filings.duplicated(key, keep="first")]
    assert 0.01 < len(again) / len(filings) < 0.06
    first = filings.drop_duplicates(key).set_index(key)["known_at"]
    assert (again["known_at"].to_numpy() > first[pd.MultiIndex.from_frame(again[key])].to_numpy()).all()


def test_first_session_has_four_quarters_of_filings_behind_it(default):
    market = default.market
    start = market.sessions[0].tz_localize("UTC")
    seen = market.filings[market.filings["known_at"] <= start].groupby("security").size()
    priced = market.panel.close.iloc[0].notna().sum()
    assert (seen >= 4).sum() > 0.9 * priced


def test_every_macro_series_is_there_and_fear_follows_the_state(default):
    macro = default.market.macro
    assert set(macro["series"]) == {"VIX", "HY_OAS", "WALCL", "WTREGEN", "RRP", "REAL_YIELD_10Y", "USD", "STABLECOINS", "M2", "VIX3M"}
    vix = macro[macro["series"] == "VIX"].set_index("date")["value"]
    assert vix[default.states == 1].mean() > 1.4 * vix[default.states == 0].mean()


def test_note_says_that_it_is_simulated_and_what_is_planted(small):
    assert small.market.simulated
    assert small.market.note == "simulated, planted effect .004 a session on BTC, ETH and altcoins, lag 10 sessions, seed 3"
    assert "no effect" in simulate_market(effect=0.0, years=2, n_stocks=5).note


def test_simulated_market_has_nothing_in_quarantine(small):
    assert small.market.quarantine.empty


@pytest.mark.parametrize(
    ("argument", "parts"),
    [
        ({"lag": -1}, ["lag is -1", "0 to 500"]),
        ({"lag": 501}, ["lag is 501"]),
        ({"years": 1}, ["years is 1"]),
        ({"n_stocks": 0}, ["n_stocks is 0"]),
        ({"n_states": 4}, ["n_states is 4", "one of 2, 3"]),
        ({"sigmas": (0.01,)}, ["sigmas [0.01]", "2 of each"]),
        ({"dof": 2.0}, ["dof is 2.0", "above 2"]),
        ({"effect": float("nan")}, ["effect is nan"]),
    ],
)
def test_arguments_out_of_range_are_refused(argument, parts):
    with pytest.raises(DataError) as error:
        simulate(**argument)
    for part in parts:
        assert part in str(error.value)
