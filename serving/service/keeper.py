"""Observations in, answers out: one observation is one update of the filter, kept before it is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from threading import RLock
from typing import Any

import numpy as np
from pydantic_core import to_json

from serving.errors import ServingError
from serving.service.store import Answer, Observation, Store

Known = Mapping[str, float | None]


class RevisedError(ServingError):
    """A session that is there with other values, and nobody asked to revise it."""


class TurnError(ServingError):
    """A session that is not the next one, or beyond what the model knows of the calendar."""


@dataclass(frozen=True)
class Link:
    """A session after training: what was observed last, what is said of it, and what the filter carries on.

    Attributes
    ----------
    known : values by column
    answer : that holds
    first : that was given first, before any revision
    state : after it, of the scorer
    """

    known: Known
    answer: Answer
    first: Answer
    state: Any


@dataclass(frozen=True)
class Chain:
    """Where a version stands.

    Attributes
    ----------
    links : sessions after training that were observed, oldest first
    seen : id of the last observation that was taken in
    behind : why the next one cannot be answered; empty where there is none
    """

    links: tuple[Link, ...]
    seen: int
    behind: str = ""


class Keeper:
    """Answers of one model version to the observations of a store; safe to use from several threads.

    Several processes may keep the same store: each takes in what the others wrote before it writes or answers.

    Parameters
    ----------
    store : of observations and answers
    version : of the model, as it is registered
    scorer : of the model that was loaded (`models.scoring.Scorer`)
    """

    def __init__(self, store: Store, version: str, scorer: Any) -> None:
        self.store, self.version, self.scorer = store, version, scorer
        self._lock = RLock()
        self._changes = -1
        self._chain = self._resumed()
        self.take_in()

    def links(self) -> tuple[Link, ...]:
        """Give the sessions after training that were observed, oldest first."""
        self.take_in()
        return self._chain.links

    @property
    def behind(self) -> str:
        """Why there are observations that this version cannot answer; empty where it answers all."""
        return self._chain.behind

    def take_in(self) -> None:
        """Answer what other processes wrote since; cheap where there is nothing, and never waits for a writer of this one."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            changes = self.store.changes()
            if changes != self._changes:
                with self.store.writing():
                    chain = self._caught_up()
                self._chain, self._changes = chain, changes
        finally:
            self._lock.release()

    def observe(self, session: str, known: Known, by: str, *, revise: bool = False) -> tuple[Link, bool]:
        """Take an observation and answer it; both are on the disk when this returns.

        Parameters
        ----------
        session : YYYY-MM-DD, the next one, or one that was observed
        known : value of every column that the model reads, None where missing
        by : name of who hands it in
        revise : keep other values of a session that is there as well, and answer it and what follows anew

        Returns
        -------
        link : of the session
        new : whether anything was written

        Raises
        ------
        RevisedError
            Where other values are there and `revise` was not asked for, or the session is one of training.
        TurnError
            Where the session is not the next one.
        ServingError
            Where this version cannot answer what was observed before.
        StoreError
            Where nothing could be written.
        """
        with self._lock:
            with self.store.writing():
                chain = self._caught_up()
                if chain.behind:
                    raise ServingError(chain.behind)
                place = self._place(session, chain.links)
                new = place == len(chain.links) or chain.links[place].known != known
                if new:
                    if place < len(chain.links) and not revise:
                        raise RevisedError(
                            f"session {session}: there with other values; rule: what was observed stays, unless a revision is asked for "
                            '("revise": true), and then both are kept'
                        )
                    observation = self.store.observe(session, by, known)
                    chain = Chain(self._followed(chain.links, observation, place), observation.id)
            self._chain = chain  # once it is on the disk
            return chain.links[place], new

    def _resumed(self) -> Chain:
        """Read back what this version said before."""
        said: dict[str, list[Answer]] = {}
        for answer in self.store.answers(self.version):
            said.setdefault(answer.session, []).append(answer)
        newest = {each.session: each.known for each in self.store.observations()}
        begin = self.scorer.begin
        links = tuple(Link(newest[session], every[-1], every[0], begin.from_bytes(every[-1].state)) for session, every in said.items())
        return Chain(links, max((link.answer.cause for link in links), default=0))

    def _caught_up(self) -> Chain:
        """Answer observations that this version has not; inside `writing`."""
        links, seen = self._chain.links, self._chain.seen
        for observation in self.store.observations(after=seen):
            if observation.session > self._trained_to:
                try:
                    links = self._followed(links, observation, self._place(observation.session, links))
                except ServingError as error:
                    return Chain(links, seen, str(error))
            seen = observation.id
        return Chain(links, seen)

    def _place(self, session: str, links: tuple[Link, ...]) -> int:
        """Number of the session after training; it must be one that was observed, or the next one."""
        if session <= self._trained_to:
            raise RevisedError(
                f"session {session}: version {self.version} was trained on it; rule: observations follow {self._trained_to}, the end of "
                "training. A revision of older data is a matter of training anew"
            )
        place = next((number for number, link in enumerate(links) if link.answer.session == session), len(links))
        if place == len(links):
            try:
                self.scorer.must_follow(place, np.array([session], dtype="datetime64[us]"))
            except ValueError as error:
                raise TurnError(str(error)) from None
        return place

    def _followed(self, links: tuple[Link, ...], observation: Observation, place: int) -> tuple[Link, ...]:
        """Answer a session anew, and every later one; inside `writing`."""
        out = list(links[:place])
        to_come = [(observation.session, observation.known), *((link.answer.session, link.known) for link in links[place + 1 :])]
        for number, (session, known) in enumerate(to_come, start=place):
            told, newest = self._told(out[-1].state if out else self.scorer.begin, session, known)
            answer = self.store.answer(self.version, session, observation.id, told, newest.to_bytes())
            out.append(Link(known, answer, links[number].first if number < len(links) else answer, newest))
        return tuple(out)

    def _told(self, state: Any, session: str, known: Known) -> tuple[bytes, Any]:
        lacking = [column for column in self.scorer.columns if column not in known]
        if lacking:
            raise ServingError(f"session {session}: column '{lacking[0]}' is missing ({len(lacking)} are); version {self.version} reads it")
        values = np.array([np.nan if known[column] is None else known[column] for column in self.scorer.columns], dtype=np.float64)
        answers, newest = self.scorer.observe(state, np.datetime64(session, "us"), values)
        plain = {name: _first(value) for name, value in answers.items()} | {"session": session}
        return to_json({name: plain[name] for name in self.scorer.published}, inf_nan_mode="null"), newest

    @property
    def _trained_to(self) -> str:
        return f"{self.scorer.trained_to:%Y-%m-%d}"


def _first(value: Any) -> Any:
    if isinstance(value, str):
        return value
    item = value[0]
    return item.item() if isinstance(item, np.generic) else item
