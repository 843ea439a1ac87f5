"""Coins from exchanges."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from sources.exchange import fetch_exchange
from sources.fetch.delivery import Delivery, Tools
from sources.fetch.plan import ExchangePlan


@dataclass(frozen=True)
class Exchange:
    """Daily bars by UTC day, coin by coin from the newest stored one on."""

    plan: tuple[ExchangePlan, ...]

    NEEDS = "the extra exchange"
    GIVES = "coins"
    KNOWN = "the end of the UTC day"

    def deliver(self, tools: Tools) -> Iterator[Delivery]:
        """Fetch coin by coin."""
        last = tools.last_dates("coins")
        for plan in self.plan:
            for number, (asset, symbol) in enumerate(plan.symbols.items()):
                tools.progress(f"{plan.exchange} {asset}", number, len(plan.symbols))
                start = {asset: pd.Timestamp(last[asset])} if asset in last else pd.Timestamp(plan.start)
                bars = fetch_exchange(plan.exchange, {asset: symbol}, start, tools.now, urls=tools.inject.get("urls"))
                frames = {"coins": bars.coins} if len(bars.coins) else {}
                yield Delivery(f"{plan.exchange} {symbol}", frames, aside=bars.quarantine)
