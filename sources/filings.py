"""Periodic reports: the period of each figure, and the instant from which it could be read."""

import pandas as pd

from sources.days import without_absurd
from sources.known import known_at
from sources.series import within
from sources.spec import FilingFile, Span
from sources.strict import FIRST_DAY
from sources.table import Folder

COLUMNS = ["security", "form", "period_start", "period_end", "net_income", "revenue", "known_at"]


def read_filings(folder: Folder, file: FilingFile, span: Span) -> pd.DataFrame:
    """Read reports. The length of a period follows from the form; a later filing of the same period is a later vintage of it.

    Raises
    ------
    DataError
        For a form without a period length, naming line and value.
    """
    # a report filed before the first session still speaks of what is known on it
    before = Span(start=FIRST_DAY, end=span.end)
    table, filed = within(folder, "filings", "filings", file, before)
    end = table.dates(file.period_end, file.date_format)
    table = folder.set_aside("filings", "filings", table, end.isna() | (table.column(file.security) == ""))
    table = without_absurd(folder, "filings", "filings", table, file.period_end, end[table.rows.index])
    end, filed, form = end[table.rows.index], filed[table.rows.index], table.column(file.form)
    months = form.map(file.months)
    table.fail(file.form, months.isna(), f"is a form under 'months' ({', '.join(file.months)})")
    frame = pd.DataFrame(
        {
            "security": table.column(file.security),
            "form": form,
            "period_start": _period_start(end, months),
            "period_end": end,
            "net_income": table.numbers(file.net_income, positive=False),
            "revenue": table.numbers(file.revenue, positive=False),
            "known_at": known_at(file.known_at, filed),
        }
    )
    table.refuse_repeats(pd.DataFrame({file.security: frame["security"], file.period_end: end, file.form: form, file.date: filed}))
    return frame[COLUMNS]


def _period_start(end: pd.Series, months: pd.Series) -> pd.Series:
    """Count whole months back from the day after the end: 30 June and 3 months give 1 April."""
    after = end + pd.Timedelta(days=1)
    start = after.copy()
    for length in months.unique():
        rows = months == length
        start[rows] = after[rows] - pd.DateOffset(months=int(length))
    return start.astype("datetime64[us]")
