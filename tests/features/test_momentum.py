import numpy as np
import pandas as pd
import pytest

from features.errors import DataError
from features.momentum import LONGEST_WINDOW, momentum
from tests.features.handmade import market, prices, sessions, walk

DAYS = sessions(800)
CLOSE = walk(800, seed=4)


@pytest.fixture(scope="module")
def values() -> pd.DataFrame:
    frames = [prices("R2000", DAYS, CLOSE)]
    frames += [prices(name, DAYS, walk(800, seed), walk(800, seed + 10)) for seed, name in enumerate(("IWM", "SPY", "IWN", "IWO"))]
    return momentum(market(DAYS, prices=pd.concat(frames))).values


def at(values: pd.DataFrame, name: str, t: int) -> float:
    return float(values[f"momentum__{name}"].iloc[t])


@pytest.mark.parametrize("t", [252, 500, 799])
@pytest.mark.parametrize("n", [21, 63, 126, 252])
def test_returns_are_log_ratios(values: pd.DataFrame, t: int, n: int) -> None:
    daily = np.diff(np.log(CLOSE))[t - 63 : t]
    assert at(values, f"mom_{n}", t) == pytest.approx(np.log(CLOSE[t] / CLOSE[t - n]), rel=1e-9)
    assert at(values, f"vmom_{n}", t) == pytest.approx(np.log(CLOSE[t] / CLOSE[t - n]) / (daily.std(ddof=1) * np.sqrt(n)), rel=1e-9)


@pytest.mark.parametrize("t", [252, 500, 799])
def test_other_trends_follow_their_formulas(values: pd.DataFrame, t: int) -> None:
    daily = np.diff(np.log(CLOSE))
    assert at(values, "ret_1", t) == pytest.approx(daily[t - 1], rel=1e-9)
    assert at(values, "log_vol_21", t) == pytest.approx(np.log(daily[t - 21 : t].std(ddof=1)), rel=1e-9)
    assert at(values, "mom_12_1", t) == pytest.approx(np.log(CLOSE[t - 21] / CLOSE[t - 252]), rel=1e-9)
    assert at(values, "tsm", t) == np.sign(CLOSE[t] - CLOSE[t - 252])
    assert at(values, "above_sma200", t) == float(CLOSE[t] > CLOSE[t - 199 : t + 1].mean())
    assert at(values, "dd", t) == pytest.approx(np.log(CLOSE[t] / CLOSE[: t + 1].max()), rel=1e-9)
    assert at(values, "hi52", t) == pytest.approx(CLOSE[t] / CLOSE[t - 251 : t + 1].max(), rel=1e-9)


@pytest.mark.parametrize("t", [252, 799])
def test_relative_strength_compares_total_returns(values: pd.DataFrame, t: int) -> None:
    iwm, spy, iwn, iwo = (walk(800, seed + 10) for seed in range(4))
    ratio = np.log(iwm / spy)
    assert at(values, "rs_63", t) == pytest.approx(ratio[t] - ratio[t - 63], rel=1e-9)
    assert at(values, "vg_252", t) == pytest.approx(np.log(iwn / iwo)[t] - np.log(iwn / iwo)[t - 252], rel=1e-9)


def test_rsz_is_the_deviation_from_the_200_session_average_over_504(values: pd.DataFrame) -> None:
    ratio = pd.Series(np.log(walk(800, 10) / walk(800, 11)))
    deviation = ratio - ratio.rolling(200).mean()
    window = deviation.iloc[800 - 504 :]
    assert at(values, "rsz", 799) == pytest.approx((window.iloc[-1] - window.mean()) / window.std(), rel=1e-7)
    assert np.isnan(at(values, "rsz", 199 + 502))


def test_record_highs_are_counted_before_the_session() -> None:
    close = np.full(LONGEST_WINDOW, 100.0)
    close[[3, 4, 10]] = 101, 102, 103
    values = momentum(market(sessions(len(close)), prices=prices("R2000", sessions(len(close)), close))).values
    assert np.flatnonzero(values["momentum__ath"] == 1).tolist() == [3, 4, 10]
    # the first close counts as the record before the next
    assert values["momentum__age"].iloc[:12].tolist()[1:] == [1, 2, 3, 1, 1, 2, 3, 4, 5, 6, 1]


def test_a_missing_print_is_carried_but_is_no_return_and_no_record() -> None:
    days = sessions(LONGEST_WINDOW + 8)
    close = np.linspace(100, 200, len(days))
    there = np.ones(len(days), dtype=bool)
    there[[300, 301]] = False
    there[400:406] = False
    values = momentum(market(days, prices=prices("R2000", days[there], close[there]))).values
    assert values["momentum__ret_1"].iloc[[300, 301]].isna().all()
    assert values["momentum__ath"].iloc[[299, 300, 301, 302]].tolist() == [1, 0, 0, 1]
    assert values["momentum__mom_21"].iloc[301] == pytest.approx(np.log(close[299] / close[280]))
    # five sessions it is carried, the sixth it is missing
    assert values["momentum__dd"].iloc[400:407].isna().tolist() == [False] * 5 + [True, False]


def test_the_index_must_be_there() -> None:
    days = sessions()
    with pytest.raises(DataError, match=r"'R2000' is missing.*present are IWM"):
        momentum(market(days, prices=prices("IWM", days, walk(len(days)))))


def test_an_index_shorter_than_the_longest_window_is_named() -> None:
    days = sessions(LONGEST_WINDOW - 1)
    with pytest.raises(DataError, match=rf"'R2000' has {LONGEST_WINDOW - 1} closes; rule: at least {LONGEST_WINDOW}"):
        momentum(market(days))


def test_absent_funds_give_missing_columns_and_lower_coverage() -> None:
    family = momentum(market(sessions()))
    assert family.values.filter(regex="rs_|vg_|rsz").isna().all().all()
    assert family.quality["momentum__coverage"].eq(0.2).all()
