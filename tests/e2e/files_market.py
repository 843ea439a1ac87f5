"""A market of two vendor's files, which grows: the same files, read up to one session or another."""

from pathlib import Path

import pandas as pd
import yaml

from features.market import Market

SPEC: dict = {
    "kind": "files",
    "name": "desk",
    "root": ".",
    "calendar": {"start": "2017-01-03"},
    "prices": {"R2000": {"path": "r2000.csv", "date": "date", "close": "close", "known_at": "session_close"}},
    "coins": [{"path": "BTC.csv", "date": "date", "asset": "BTC", "close": "close", "known_at": "end_of_utc_day"}],
}


def write_closes(folder: Path, market: Market) -> None:
    """Write the series as a vendor would."""
    for series, frame, column, name in (("r2000", market.prices, "series", "R2000"), ("BTC", market.coins, "asset", "BTC")):
        frame.loc[frame[column] == name, ["date", "close"]].to_csv(folder / f"{series}.csv", index=False)


def write_market(file: Path, last: pd.Timestamp | None = None) -> None:
    """Write the market file that reads them, up to a session or whole."""
    end = {} if last is None else {"end": f"{last:%Y-%m-%d}"}
    file.write_text(yaml.safe_dump(SPEC | {"calendar": SPEC["calendar"] | end}), encoding="utf-8")
