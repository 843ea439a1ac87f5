"""What can be said at one moment: made once an observation, and then only handed out."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from pydantic_core import to_json

from serving.card import TOLD_APART, build_card
from serving.errors import ServingError
from serving.output import as_records
from serving.service.engine import Engine
from serving.service.keeper import Link

HISTORY = ("session", "status", "regime", f"p_{TOLD_APART}", f"p_{TOLD_APART}_lo", f"p_{TOLD_APART}_hi", "ambiguous")


class UnknownSessionError(ServingError):
    """A session that nothing was said of."""


class View:
    """Answers of one version to all sessions: those of training as they were published, then those that were observed.

    Parameters
    ----------
    engine : that answered
    links : sessions after training that were observed, oldest first
    """

    def __init__(self, engine: Engine, links: Sequence[Link]) -> None:
        self.engine, self.links = engine, links

    @cached_property
    def table(self) -> pd.DataFrame:
        """Answers as the scoring function lays them out, a row a session."""
        published: pd.DataFrame = self.engine.scorer.published
        if not self.links:
            return published.copy()
        told = pd.DataFrame([json.loads(link.answer.told) for link in self.links], columns=list(published))
        told["session"] = pd.to_datetime(told["session"])
        return pd.concat([published, told.astype(published.dtypes.to_dict())], ignore_index=True)

    @cached_property
    def head(self) -> dict[str, Any]:
        """Who answers, on what data: part of every answer."""
        facts, last = self.engine.facts, self.table["session"].iloc[-1]
        return {
            "model": asdict(self.engine.served),
            "market": facts["market"]["name"],
            "simulated": facts["market"]["simulated"],
            "trained_to": facts["trained_to"],
            "data_as_of": f"{last:%Y-%m-%d}",
            "known_at": f"{last + pd.Timedelta(days=1):%Y-%m-%dT00:00:00Z}",
        }

    @cached_property
    def newest(self) -> bytes:
        """The regime of the newest session, as JSON."""
        return to_json(self.regime(), inf_nan_mode="null")

    def regime(self, session: str | None = None) -> dict[str, Any]:
        """Say the regime of a session, the newest one if none is named.

        Raises
        ------
        ServingError
            Where there is no answer for that session.
        """
        place = self._place(session)
        row = as_records(self.table.iloc[[place]])[0]
        named = {name.removeprefix("p_"): row[name] for name in row if name in self._probabilities}
        first = self._first(place)
        return self.head | {
            "session": row["session"],
            "status": row["status"],
            "regime": row["regime"],
            "probabilities": named,
            **{end: row[f"p_{TOLD_APART}_{end}"] for end in ("lo", "hi", "spec_lo", "spec_hi")},
            "ambiguous": bool(row["ambiguous"]),
            "since": f"{self.table['session'].iloc[self._since[place]]:%Y-%m-%d}",
            "sessions": int(place - self._since[place] + 1),
            "revised": first is not None,
            "first_said": first,
        }

    def history(self, start: str | None, end: str | None, limit: int) -> dict[str, Any]:
        """Give the regimes of a stretch of sessions, the newest `limit` of them."""
        first = 0 if start is None else int(np.searchsorted(self._days, np.datetime64(start)))
        last = len(self._days) if end is None else int(np.searchsorted(self._days, np.datetime64(end), side="right"))
        rows = self.table[list(HISTORY)].iloc[first:last]
        return self.head | {"total": len(rows), "rows": as_records(rows.iloc[-limit:])}

    def card(self, session: str | None = None) -> dict[str, Any]:
        """Build the card as of a session; base rates and skill are those of the end of training."""
        served = self.engine.served
        return build_card(self.engine.facts, self.table.iloc[: self._place(session) + 1], f"models:/{served.name}/{served.version}")

    def forecast(self, session: str | None = None) -> dict[str, Any]:
        """Give the forecasts of a session."""
        card = self.card(session)
        return self.head | {"session": card["session"], "base_rates_to": self.engine.facts["trained_to"], "forecasts": card["forecast"]}

    def _place(self, session: str | None) -> int:
        if session is None:
            return len(self.table) - 1
        place = int(np.searchsorted(self._days, np.datetime64(session)))
        if place == len(self._days) or self._days[place] != np.datetime64(session):
            first, last = (str(day.astype("datetime64[D]")) for day in self._days[[0, -1]])
            raise UnknownSessionError(
                f"there is no answer for that session; rule: a session of the exchange from {first} to {last}, the newest one"
            )
        return place

    @cached_property
    def _days(self) -> Any:
        return self.table["session"].to_numpy(dtype="datetime64[us]")

    def _first(self, place: int) -> dict[str, Any] | None:
        """What was said before a revision; None where there was none."""
        number = place - len(self.engine.scorer.published)
        if number < 0 or self.links[number].first == self.links[number].answer:
            return None
        first = json.loads(self.links[number].first.told)
        return {"regime": first["regime"], **{name.removeprefix("p_"): first[name] for name in self._probabilities}}

    @cached_property
    def _since(self) -> Any:
        """Place of the first session of the run that each session is in."""
        named = self.table["regime"].astype(object).to_numpy()
        begins = np.r_[True, named[1:] != named[:-1]]
        return np.maximum.accumulate(np.where(begins, np.arange(len(named)), 0))

    @cached_property
    def _probabilities(self) -> tuple[str, ...]:
        return tuple(f"p_{name}" for name in self.engine.scorer.names)
