import numpy as np
import pandas as pd
import pytest

from features.altcoins import MAJORS, STABLE, WRAPPED, altcoin_index, daily_correlation, published_cap, unlisted_pegs
from tests.features.handmade import coins

WITHOUT = ("nothing", "USDT", "stablecoins")


def macro(rows: dict[str, list[float]], hours: dict[str, int] | None = None) -> pd.DataFrame:
    frames = []
    for series, values in rows.items():
        date = pd.date_range("2024-01-01", periods=len(values), unit="us")
        known = date.tz_localize("UTC") + pd.Timedelta(hours=(hours or {}).get(series, 24))
        frames.append(pd.DataFrame({"series": series, "date": date, "value": values, "known_at": known.as_unit("us")}))
    return pd.concat(frames, ignore_index=True).dropna(subset=["value"])


CAPS = {"TOTAL3": [500.0, 600.0, 550.0], "TOTAL": [1000.0, 1100.0, 1200.0], "USDT_D": [5.0, 4.0, 5.0], "STABLECOINS": [80.0, 90.0, np.nan]}


def test_published_cap_is_taken_as_it_is_or_without_stablecoins() -> None:
    table = macro(CAPS)
    assert published_cap(table, "nothing")["level"].tolist() == [500.0, 600.0, 550.0]
    assert published_cap(table, "USDT")["level"].tolist() == [450.0, 556.0, 490.0]
    assert published_cap(table, "stablecoins")["level"].tolist() == [420.0, 510.0]  # the third day has no supply


def test_published_cap_is_known_with_its_last_part() -> None:
    table = macro(CAPS, {"STABLECOINS": 30})
    known = published_cap(table)["known_at"]
    assert known.dtype == "datetime64[us, UTC]"
    assert list(known) == [pd.Timestamp("2024-01-02 06:00", tz="UTC"), pd.Timestamp("2024-01-03 06:00", tz="UTC")]
    assert published_cap(table, "nothing")["known_at"].iloc[0] == pd.Timestamp("2024-01-02", tz="UTC")


def test_days_with_nothing_left_are_no_rows() -> None:
    assert published_cap(macro(CAPS | {"STABLECOINS": [500.0, 700.0, 50.0]}))["level"].tolist() == [500.0]


@pytest.mark.parametrize("without", WITHOUT)
def test_without_a_part_there_is_no_published_cap(without: str) -> None:
    for series in CAPS:
        table = macro({name: values for name, values in CAPS.items() if name != series})
        whole = len(published_cap(macro(CAPS), without))
        needed = {"nothing": ["TOTAL3"], "USDT": ["TOTAL3", "TOTAL", "USDT_D"], "stablecoins": ["TOTAL3", "STABLECOINS"]}[without]
        assert len(published_cap(table, without)) == (0 if series in needed else whole)
    assert published_cap(macro(CAPS).iloc[:0], without).empty


def test_later_records_change_no_earlier_published_cap() -> None:
    table = macro(CAPS)
    early = table[table["date"] < "2024-01-03"]
    for without in WITHOUT:
        pd.testing.assert_frame_equal(published_cap(early, without), published_cap(table, without).loc[:"2024-01-02"])


def test_the_word_is_checked() -> None:
    with pytest.raises(ValueError, match="without is 'all'; rule: 'nothing', 'USDT' or 'stablecoins'"):
        published_cap(macro(CAPS), "all")


def test_cap_of_zero_is_missing() -> None:
    moves = {"LTC": 1.1, "XRP": 1.0, "ADA": 0.9, "XLM": 1.3}
    parts = [coins(asset, "2020-01-01", 10 * move ** np.arange(40), 0.0 if asset == "XLM" else 100.0) for asset, move in moves.items()]
    table = pd.concat(parts)
    absent = table.assign(market_cap=table["market_cap"].where(table["market_cap"] > 0))
    level = altcoin_index(table, "cap")
    pd.testing.assert_series_equal(level, altcoin_index(absent, "cap"))
    assert level.pct_change().iloc[-1] == pytest.approx(0.0, abs=1e-12)


def test_correlation_is_over_days_that_follow_each_other() -> None:
    rng = np.random.default_rng(2)
    days = pd.date_range("2024-01-01", periods=60, unit="us")
    move = rng.standard_normal((60, 2)) @ [[1.0, 0.5], [0.0, 1.0]]
    level, other = (pd.Series(np.exp(np.cumsum(move[:, k])), index=days) for k in (0, 1))
    assert daily_correlation(level, other)[0] == pytest.approx(np.corrcoef(move[1:].T)[0, 1])
    gapped = level.drop(days[[10, 11, 30]]), other.where(days != days[40])
    keep = [t for t in range(1, 60) if not {t, t - 1} & {10, 11, 30, 40}]
    got, n = daily_correlation(*gapped)
    assert n == len(keep)
    assert got == pytest.approx(np.corrcoef(move[keep].T)[0, 1])
    assert np.isnan(daily_correlation(level.iloc[:3], other)[0])


def test_names_are_on_one_list_only() -> None:
    names = [*MAJORS, *STABLE, *WRAPPED]
    assert len(set(names)) == len(names)
    assert all(name == name.upper() for name in names)


def test_stablecoin_that_is_not_listed_is_named() -> None:
    wobble = 1 + 0.02 * np.sin(np.arange(120))
    table = pd.concat(
        [
            coins("USDNEW", "2024-01-01", np.where(np.arange(120) < 30, 1.2, wobble)),
            coins("USDT", "2024-01-01", wobble),
            coins("XRP", "2024-01-01", np.where(np.arange(120) == 60, 1.04, wobble)),
            coins("YOUNG", "2024-01-01", wobble[:89]),
        ]
    )
    assert unlisted_pegs(table) == ["USDNEW"]
    assert unlisted_pegs(table.iloc[:0]) == []


@pytest.mark.parametrize("weighting", ["equal", "cap"])
@pytest.mark.parametrize("without", WITHOUT)
def test_real_indices_move_with_the_published_cap(real_market, weighting, without) -> None:
    level = altcoin_index(real_market.coins, weighting)
    published = published_cap(real_market.macro, without)["level"]
    correlation, n = daily_correlation(level, published)
    assert correlation > 0.94
    assert n == {"equal": 1984, "cap": 577}[weighting]
    for days in (-1, 1):  # neither is labelled a day off
        assert daily_correlation(level, published.shift(days, freq="D"))[0] < 0.1


def test_real_indices_are_apart_and_hold_no_stablecoin(real_market) -> None:
    equal, cap = (altcoin_index(real_market.coins, weighting).dropna() for weighting in ("equal", "cap"))
    assert (equal.index[0], equal.index[-1]) == (pd.Timestamp("2013-12-16"), pd.Timestamp("2025-06-30"))
    assert (cap.index[0], cap.index[-1]) == (pd.Timestamp("2013-12-31"), pd.Timestamp("2021-07-31"))
    assert daily_correlation(equal, cap)[0] > 0.7
    assert unlisted_pegs(real_market.coins) == []
