"""Share of loss-makers with pandas, two ways: anew on every session, and joined once with `merge_asof`.

Both take the filings a company makes here: 10-Ks of its fiscal years, 10-Qs of its first three quarters. A trailing year is the newest
fiscal year, plus the quarters filed since, less the same quarters of that year.
"""

import pandas as pd

STALE_DAYS = 200
STALE_DAYS_ANNUAL = 290


def share_anew(filings: pd.DataFrame, sessions: pd.DatetimeIndex) -> pd.Series:
    """Recompute from all that was known on each session: simple, and plainly without a look ahead.

    Parameters
    ----------
    filings : security, form, period_start, period_end, net_income, known_at (UTC)
    sessions : naive dates
    """
    filings = filings.sort_values("known_at", kind="stable")
    shares = {}
    for session in sessions:
        instant = (session + pd.Timedelta(days=1)).tz_localize("UTC")
        known = filings[filings["known_at"] <= instant]
        latest = known.drop_duplicates(["security", "period_start", "period_end"], keep="last")
        years = _trailing_years(latest, ["security"])
        current = years["full"].where(session <= years["full_until"], years["annual"].where(session <= years["annual_until"]))
        shares[session] = (current.dropna() < 0).mean()
    return pd.Series(shares)


def share_joined(filings: pd.DataFrame, sessions: pd.DatetimeIndex) -> pd.Series:
    """Compute each company's trailing year on the days it files, and join sessions to them; parameters as `share_anew`."""
    days = filings[["security", "known_at"]].drop_duplicates().rename(columns={"known_at": "day"})
    known = days.merge(filings, on="security")
    known = known[known["known_at"] <= known["day"]].sort_values("known_at", kind="stable")
    latest = known.drop_duplicates(["security", "day", "period_start", "period_end"], keep="last")
    years = _trailing_years(latest, ["security", "day"]).reset_index().sort_values("day")
    grid = pd.MultiIndex.from_product([sessions, filings["security"].unique()], names=["session", "security"]).to_frame(index=False)
    grid["day"] = (grid["session"] + pd.Timedelta(days=1)).dt.tz_localize("UTC")
    joined = pd.merge_asof(grid, years, on="day", by="security")
    annual = joined["annual"].where(joined["session"] <= joined["annual_until"])
    current = joined["full"].where(joined["session"] <= joined["full_until"], annual)
    loss = (current < 0).where(current.notna())
    return loss.astype("float64").groupby(joined["session"]).mean()


def _trailing_years(latest: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Trailing years of each group of `key`: to the newest quarter that can be reached, and to the end of the fiscal year."""
    annual = latest["form"].str.startswith("10-K")
    fiscal = latest[annual].sort_values("period_end", kind="stable").drop_duplicates(key, keep="last")
    fiscal = fiscal.set_index(key)[["period_start", "period_end", "net_income"]]
    quarters = latest[~annual].join(fiscal, on=key, rsuffix="_fiscal", how="inner")
    number = (_month(quarters["period_start"]) - _month(quarters["period_start_fiscal"])) // 3
    wide = quarters.assign(number=number).pivot(index=key, columns="number", values="net_income")
    wide = wide.reindex(index=fiscal.index, columns=range(7))
    # quarters 0 to 2 lie in the fiscal year, 4 to 6 follow it; a hole ends the row
    steps = (wide[[4, 5, 6]] - wide[[0, 1, 2]].to_numpy()).cumsum(axis=1, skipna=False)
    reached = steps.notna().sum(axis=1)
    full_until = _months_later(fiscal["period_end"], 3 * reached) + pd.Timedelta(days=STALE_DAYS)
    annual_until = fiscal["period_end"] + pd.Timedelta(days=STALE_DAYS_ANNUAL)
    return pd.DataFrame(
        {
            "full": fiscal["net_income"] + steps.ffill(axis=1)[6].fillna(0.0),
            "full_until": full_until.where(reached > 0, annual_until),
            "annual": fiscal["net_income"],
            "annual_until": annual_until,
        }
    )


def _month(dates: pd.Series) -> pd.Series:
    numbers: pd.Series = 12 * dates.dt.year + dates.dt.month
    return numbers


def _months_later(ends: pd.Series, months: pd.Series) -> pd.Series:
    """Last day of the month so many months after a month's end."""
    first = (ends.to_numpy("datetime64[M]") + months.to_numpy() + 1).astype("datetime64[us]")
    return pd.Series(first, index=ends.index) - pd.Timedelta(days=1)
