"""Records of a market of files, kept with their vintages: what a vendor's next file changes becomes visible."""

from collections.abc import Iterator
from dataclasses import dataclass

from features.errors import DataError
from features.schemas import SCHEMAS
from sources.fetch.delivery import Delivery, Tools
from sources.fetch.plan import FilesPlan
from sources.files import load_market


@dataclass(frozen=True)
class MarketFiles:
    """Everything a market file describes, as one batch."""

    plan: FilesPlan

    NEEDS = "the files"
    GIVES = "prices, coins, members, funds, filings, macro, panel"
    KNOWN = "by the rules of the market file"

    def deliver(self, tools: Tools) -> Iterator[Delivery]:
        """Read the market."""
        tools.progress("files", 0, 1)
        market = load_market(tools.beside / self.plan.market)
        if market.simulated != tools.store.simulated:
            raise DataError(
                f"{self.plan.market}: simulated is {market.simulated}, of the store {tools.store.simulated}; rule: never both in one"
            )
        frames = {name: getattr(market, name) for name in SCHEMAS if len(getattr(market, name))}
        panel = market.panel if market.panel.close.shape[1] else None
        yield Delivery(f"files of market {market.name}", frames, panel, market.quarantine)
