"""Companies by ticker, from the SEC's `company_tickers.json`.

The list is today's. Applied to the past it gives a ticker to the company that has it now, and none to those that are gone: a filer
keeps its CIK as its name where the list says nothing or says it twice, and no two companies are ever one.
"""

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.errors import DataError
from features.quarantine import BAD_SHARE

MOST_BYTES = 16 << 20
"""The list has less than one million."""

LARGEST_CIK = 9_999_999_999
TICKER = re.compile(r"[A-Z][A-Z0-9.\-]{0,11}")
"""No name of this form is a CIK in ten digits."""


@dataclass(frozen=True)
class Tickers:
    """Names of companies.

    Attributes
    ----------
    names : ticker by CIK in ten digits; of several the first in the list, which is the company's main one
    shared : tickers that the list gives to several companies; none of them gets it
    """

    names: dict[str, str]
    shared: tuple[str, ...]


def read_tickers(path: Path, name: str) -> Tickers:
    """Read the list.

    Parameters
    ----------
    name : of the file, for error texts

    Raises
    ------
    DataError
        Where the file is no such list, or more than 1% of its entries are none.
    """
    pairs, faults = [], []
    entries = _entries(path, name)
    for key, entry in entries.items():
        pair = _pair(entry)
        if pair is None:
            faults.append(key)
        else:
            pairs.append(pair)
    if len(faults) > BAD_SHARE * len(entries):
        raise DataError(
            f"{name}: entry '{faults[0][:20]}' is no company; rule: cik_str, a number, and ticker, in 99% of the entries "
            f"({len(faults)} of {len(entries)} are none)"
        )
    companies = Counter(ticker for _, ticker in set(pairs))
    shared = sorted(ticker for ticker, count in companies.items() if count > 1)
    names: dict[str, str] = {}
    for cik, ticker in pairs:
        if companies[ticker] == 1:
            names.setdefault(cik, ticker)
    return Tickers(names, tuple(shared))


def _entries(path: Path, name: str) -> dict[str, Any]:
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise DataError(f"{name}: has {size} bytes; rule: a list of tickers has at most {MOST_BYTES}")
    content = path.read_bytes()
    if content[:512].lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        raise DataError(f"{name}: this is a web page, not JSON; download it again, with a User-Agent that names you")
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{name}: this is no JSON: {error}; download it again") from None
    if not isinstance(found, dict) or not found:
        raise DataError(f'{name}: holds {type(found).__name__}; rule: {{"0": {{"cik_str": 320193, "ticker": "AAPL", ...}}, ...}}')
    return found


def _pair(entry: object) -> tuple[str, str] | None:
    fields = entry if isinstance(entry, dict) else {}
    cik, ticker = fields.get("cik_str"), fields.get("ticker")
    if type(cik) is not int or not 0 < cik <= LARGEST_CIK or not isinstance(ticker, str) or not TICKER.fullmatch(ticker):
        return None
    return f"{cik:010d}", ticker
