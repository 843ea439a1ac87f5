"""A tiny market on disk."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from features.errors import DataError
from features.market import Market
from sources.files import load_market

DAYS = pd.bdate_range("2024-01-02", "2024-01-12")


def csv(header: str, values: list[str], days: pd.DatetimeIndex = DAYS) -> str:
    return "\n".join([header, *(f"{day:%Y-%m-%d},{value}" for day, value in zip(days, values, strict=True))]) + "\n"


FILES = {
    "rut.csv": csv("Date,^RUT", [str(2000 + i) for i in range(9)]),
    "etf.csv": csv("date,IWM,HYG", [f"{200 + i}.5,{'' if i < 2 else 77 + i}" for i in range(9)]),
    "btc.csv": csv("date,close", [str(42000 + i) for i in range(9)]),
    "alts.csv": (
        "date,symbol,close,source\n"
        "2024-01-03,ADA,0.5,second\n2024-01-02,ADA,0.4,second\n2024-01-02,ADA,0.41,first\n2024-01-02,XRP,0.6,second\n2024-01-02,BTC,9,first\n"
    ),
    "caps.csv": "date,symbol,close,cap\n2024-01-02,ADA,0.4,1000\n2024-01-03,ADA,0.5,0\n2024-01-02,USDT,1,5\n",
    "panel.csv": csv("date,AAA,BBB", [f"{10 + i},{'' if i == 3 else 20 + i}" for i in range(9)]),
    "members.csv": "snapshot,ticker\n2024-01-02,AAA\n2024-01-02,BBB\n2024-01,BBB\n",
    "fund.csv": csv("date,nav,shares_outstanding", [f"{190 + i},{1000000 + 50000 * i}" for i in range(9)]),
    "sec.csv": (
        "symbol,filed,end,form,net_income,revenues\n"
        "AAA,2023-11-08,2023-09-30,10-Q,-5,100\nAAA,2023-12-08,2023-09-30,10-Q,-6,100\nNA,2023-03-01,2022-12-31,10-K,7,\n"
    ),
    "walcl.csv": "Date,Value\n2024-01-03,7700000\n2024-01-10,.\n",
}

SPEC = {
    "kind": "files",
    "root": "data",
    "calendar": {"start": "2024-01-02"},
    "prices": {
        "R2000": {"path": "rut.csv", "date": "Date", "close": "^RUT", "known_at": "session_close"},
        "IWM": {"path": "etf.csv", "adj_close": "IWM", "known_at": "session_close"},
        "HYG": {"path": "etf.csv", "adj_close": "HYG", "known_at": "session_close"},
    },
    "coins": [
        {"path": "btc.csv", "asset": "BTC", "known_at": "end_of_utc_day"},
        {"path": "alts.csv", "symbol": "symbol", "source": "source", "prefer": ["first", "second"], "known_at": "end_of_utc_day"},
    ],
    "caps": [{"path": "caps.csv", "market_cap": "cap"}],
    "panel": {"path": "panel.csv", "known_at": "session_close"},
    "members": {"path": "members.csv", "known_at": "next_morning", "dates": {"2024-01": "2024-01-08"}},
    "funds": {"IWM": {"path": "fund.csv", "splits": {"2024-01-05": 2}, "known_at": "next_session_morning"}},
    "filings": {
        "path": "sec.csv",
        "date": "filed",
        "period_end": "end",
        "revenue": "revenues",
        "months": {"10-K": 12, "10-Q": 3},
        "known_at": "morning_of",
    },
    "macro": {"WALCL": {"path": "walcl.csv", "date": "Date", "value": "Value", "known_at": "next_thursday"}},
}


class Case:
    """A tiny market on disk; a test spoils one thing and loads it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.spec = yaml.safe_load(yaml.safe_dump(SPEC))
        (folder / "data").mkdir()
        for name, text in FILES.items():
            self.write(name, text)

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / "data" / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def replace(self, name: str, old: str, new: str) -> None:
        assert old in FILES[name]
        self.write(name, FILES[name].replace(old, new, 1))

    def market_file(self) -> Path:
        path = self.folder / "market.yaml"
        path.write_text(yaml.safe_dump(self.spec), encoding="utf-8")
        return path

    def load(self) -> Market:
        return load_market(self.market_file())

    def refused(self, *parts: str) -> str:
        with pytest.raises(DataError) as error:
            self.load()
        text = str(error.value)
        for part in parts:
            assert part in text, f"'{part}' is not in: {text}"
        return text
