"""Observations in, answers out: one observation is one update of the filter, kept before it is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from threading import RLock
from typing import Any

import numpy as np
from pydantic_core import to_json

from serving.errors import ServingError
from serving.service.store import Answer, Observation, Store, StoreError

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
    observation : the last one
    answer : that holds
    first : what this version said of it first, before any revision
    state : after it, of the scorer
    """

    observation: Observation
    answer: Answer
    first: Answer
    state: Any


@dataclass(frozen=True)
class Chain:
    """Where a version stands.

    Attributes
    ----------
    links : sessions after training that were observed, oldest first
    why : it cannot answer the session after them, which was observed as well; None where it answers all
    """

    links: tuple[Link, ...]
    why: ServingError | None = None


class Keeper:
    """Answers of one model version to the observations of a store; safe to use from several threads.

    Several processes may keep the same store: each takes in what the others wrote before it writes or answers. What is said of a session
    rests on the last observation of it and of each before it; what was said on other ones stays on record.

    Parameters
    ----------
    store : of observations and answers
    version : of the model, as it is registered
    scorer : of the model that was loaded (`models.scoring.Scorer`)

    Raises
    ------
    StoreError
        Where what was observed cannot be read, or answers to it not be written.
    """

    def __init__(self, store: Store, version: str, scorer: Any) -> None:
        self.store, self.version, self.scorer = store, version, scorer
        self.fault = ""
        self._lock = RLock()
        self._changes = store.changes()
        with store.writing():
            self._chain = self._walked(())

    def links(self) -> tuple[Link, ...]:
        """Give the sessions after training that were observed, oldest first; where the store fails, as they were when it last did not."""
        if self._lock.acquire(blocking=False):  # never wait for a writer of this process: what holds until it is done is known
            try:
                self._take_in()
                self.fault = ""
            except StoreError as error:
                self.fault = str(error)
            finally:
                self._lock.release()
        return self._chain.links

    def faults(self) -> list[str]:
        """Say why not all that was observed is answered; empty where it is."""
        return [each for each in (self.fault, str(self._chain.why or "")) if each]

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
            Where a session before it is missing.
        ServingError
            Where this version cannot answer what was observed before.
        StoreError
            Where nothing could be written.
        """
        if session <= self._trained_to:
            raise RevisedError(
                f"session {session}: version {self.version} was trained on it; rule: observations follow {self._trained_to}, the end of "
                "training. A revision of older data is a matter of training anew"
            )
        with self._lock:
            with self.store.writing():
                there = self.store.revisions(session)
                new = not there or there[-1].known != known
                if there and new and not revise:
                    raise RevisedError(
                        f"session {session}: there with other values; rule: what was observed stays, unless a revision is asked for "
                        '("revise": true), and then both are kept'
                    )
                if new:
                    self.store.observe(session, by, known)
                chain = self._walked(self._chain.links)
                link = next((each for each in chain.links if each.answer.session == session), None)
                if link is None:
                    raise chain.why or ServingError(f"session {session}: it was not answered")
            self._chain = chain  # once it is on the disk
            return link, new

    def _take_in(self) -> None:
        """Answer what other processes wrote since; cheap where there is nothing."""
        changes = self.store.changes()
        if changes != self._changes:
            with self.store.writing():
                chain = self._walked(self._chain.links)
            self._chain, self._changes = chain, changes

    def _walked(self, before: tuple[Link, ...]) -> Chain:
        """Answer what was observed last of each session, in their order, as far as can be; inside `writing`.

        Parameters
        ----------
        before : links that were made before, taken over as far as they rest on the same observations
        """
        links: list[Link] = []
        cause = 0
        for place, observation in enumerate(self.store.newest(after=self._trained_to)):
            cause = max(cause, observation.id)  # no two histories of a session share it: observations are only added
            same = place < len(before) and before[place].observation.id == observation.id and before[place].answer.cause == cause
            try:
                links.append(before[place] if same else self._link(links, observation, cause))
            except StoreError:
                raise
            except ServingError as why:
                return Chain(tuple(links), why)
        return Chain(tuple(links))

    def _link(self, links: list[Link], observation: Observation, cause: int) -> Link:
        """Answer a session, or read back what this version answered before."""
        session = observation.session
        said = self.store.answers(self.version, session)
        answer = next((each for each in said if each.cause == cause), None)
        if answer is not None:
            return Link(observation, answer, said[0], self._read_back(answer))
        told, state = self._told(links[-1].state if links else self.scorer.begin, session, observation.known)
        answer = self.store.answer(self.version, session, cause, told, state.to_bytes())
        return Link(observation, answer, said[0] if said else answer, state)

    def _read_back(self, answer: Answer) -> Any:
        try:
            return self.scorer.begin.from_bytes(answer.state)
        except ValueError as error:
            raise StoreError(f"store '{self.store.path}': session {answer.session} of version {self.version}: {error}") from None

    def _told(self, state: Any, session: str, known: Known) -> tuple[bytes, Any]:
        lacking = [column for column in self.scorer.columns if column not in known]
        if lacking:
            raise ServingError(
                f"session {session}: column '{lacking[0]}' is missing ({len(lacking)} are), which version {self.version} reads; revise it"
            )
        values = np.array([np.nan if known[column] is None else known[column] for column in self.scorer.columns], dtype=np.float64)
        try:
            answers, newest = self.scorer.observe(state, np.datetime64(session, "us"), values)
        except ValueError as error:  # the scorer's own: another session comes next
            raise TurnError(str(error)) from None
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
