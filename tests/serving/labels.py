"""Answers to publish, for the tests of labels."""

from pathlib import Path

import pandas as pd

from serving.label_place import SeriesOf
from serving.label_rules import SERVING, Said
from serving.label_series import LabelSeries

DAYS = [f"{day:%Y-%m-%d}" for day in pd.bdate_range("2024-01-01", periods=400)]
OF = SeriesOf("appetite", "files", simulated=False)


def said(
    day: int, p: float = 0.9, *, regime: str | None = None, low: float | None = None, high: float | None = None, by: str = SERVING
) -> Said:
    """Say something of the business day with this number."""
    name = regime or ("risk_on" if p > 0.5 else "risk_off")
    return Said(DAYS[day], name, {"risk_on": p, "risk_off": 1 - p}, low, high, by)


def series_in(folder: Path, of: SeriesOf = OF) -> LabelSeries:
    return LabelSeries(folder / "labels", of)
