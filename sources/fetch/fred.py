"""Macro series from FRED."""

from collections.abc import Iterator
from dataclasses import dataclass

from sources.fetch.delivery import Delivery, Tools
from sources.fetch.plan import FredPlan
from sources.fred import SERIES, Published, fetch_fred


@dataclass(frozen=True)
class Fred:
    """Whole series at each fetch: what is there already adds nothing, what was revised is a further vintage."""

    plan: FredPlan

    NEEDS = "user_agent"
    GIVES = "macro"
    KNOWN = "by the publication rule of each series; the newest vintage, not what was first printed"

    def deliver(self, tools: Tools) -> Iterator[Delivery]:
        """Fetch series by series."""
        wanted = {name: SERIES[name] for name in self.plan.series}
        wanted |= {name: Published(other.name, other.known_at) for name, other in self.plan.other.items()}
        for number, (identifier, published) in enumerate(wanted.items()):
            tools.progress(f"FRED {identifier}", number, len(wanted))
            frame = fetch_fred(tools.client, {identifier: published}, address=self.plan.address)
            yield Delivery(f"FRED {identifier}", {"macro": frame})
