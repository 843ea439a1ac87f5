"""Funds and an index from their issuer's workbooks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from features.asof import first_usable
from sources.calendar import sessions as sessions_between
from sources.download import download
from sources.fetch.delivery import Delivery, Tools
from sources.fetch.plan import FundPlan
from sources.fund_workbook import FundWorkbook, index_members, read_fund_workbook
from sources.known import known_at

ONE_DAY = pd.Timedelta(days=1)
AHEAD = pd.Timedelta(days=14)
"""No holiday is longer: within so many days there is a session."""


@dataclass(frozen=True)
class Issuer:
    """Workbooks as downloaded; a list of holdings changes the index from the first session that can know it, never before."""

    plan: Mapping[str, FundPlan]

    NEEDS = "user_agent"
    GIVES = "funds, members"
    KNOWN = "net asset value and shares: 09:00 in New York of the next session; holdings: of the next day"

    def deliver(self, tools: Tools) -> Iterator[Delivery]:
        """Fetch fund by fund."""
        for number, (fund, plan) in enumerate(self.plan.items()):
            tools.progress(f"fund {fund}", number, len(self.plan))
            path = download(tools.client, plan.url, tools.downloads / f"{fund}.workbook", "workbook")
            workbook = read_fund_workbook(path, fund, plan.splits)
            frames = {"funds": workbook.funds}
            if plan.members:
                frames["members"] = member_changes(workbook, tools)
            yield Delivery(f"issuer's workbook of {fund}", {k: v for k, v in frames.items() if len(v)}, aside=workbook.quarantine)


def member_changes(workbook: FundWorkbook, tools: Tools) -> pd.DataFrame:
    """Compare a list of holdings with the index as the store has it: who joins, and who leaves.

    Returns
    -------
    DataFrame of the schema `members`; empty where the list is not newer than what is stored
    """
    day = pd.Timestamp(workbook.cover.as_of)
    known = known_at("next_morning", pd.DatetimeIndex([day]))
    ahead = sessions_between(day, day + AHEAD)
    start = ahead[int(first_usable(known, ahead)[0])]
    stored = tools.store.as_of(tools.now, kinds=["members"]).frames["members"].to_pandas()
    if len(stored) and pd.Timestamp(stored["start"].max()) >= start:
        return pd.DataFrame()
    listed = set(index_members(workbook.holdings)["security"])
    open_ = stored[stored["end"].isna()] if len(stored) else pd.DataFrame({"security": pd.Series(dtype=str), "start": []})
    leaving = open_[~open_["security"].isin(listed)]
    joining = sorted(listed - set(open_["security"]))
    left = pd.DataFrame({"security": leaving["security"], "start": pd.to_datetime(leaving["start"]), "end": start})
    joined = pd.DataFrame({"security": joining, "start": start, "end": pd.NaT})
    frame = pd.concat([each for each in (left, joined) if len(each)] or [joined], ignore_index=True).assign(known_at=known[0])
    return frame.astype({"security": "str", "start": "datetime64[us]", "end": "datetime64[us]", "known_at": "datetime64[us, UTC]"})
