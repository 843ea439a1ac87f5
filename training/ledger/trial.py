"""A trial: one look at how a configuration does on one out-of-sample window, and the family of looks that it belongs to."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import pandas as pd

from features.market import Market
from training.config import TrainConfig

TRAIN, BACKTEST, SEARCH, MANUAL = "train", "backtest", "search", "manual"
JOBS = (TRAIN, BACKTEST, SEARCH)
"""Values of the tag `job` of runs that are trials."""

SHORT = 12
"""Hex digits of an id."""

SHARE = 0.2
"""Share of the judged window that lines without one locked away."""


@dataclass(frozen=True)
class Family:
    """What trials share that are tested together: a new asset, horizon, vintage or window is another family.

    Attributes
    ----------
    assets, horizons : sorted
    data : hash of the market's records alone (`features.market.Market.content_hash`)
    oos_start, oos_end : planned window out of sample, YYYY-MM-DD
    """

    assets: tuple[str, ...]
    horizons: tuple[int, ...]
    data: str
    oos_start: str
    oos_end: str

    @property
    def id(self) -> str:
        """Hash of all of it."""
        return _hash(asdict(self))

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """Read it back from plain values."""
        return cls(tuple(told["assets"]), tuple(told["horizons"]), told["data"], told["oos_start"], told["oos_end"])


@dataclass(frozen=True)
class Trial:
    """What is known of a trial before it begins.

    Attributes
    ----------
    kind : train, backtest, search (a child of a search) or manual (a look of a person)
    family : of the trial
    market, simulated : name of its market, and whether that is no real one
    hypothesis_id : hash of the configuration without its seed; seeds are replicates of one hypothesis
    parent : id of the run that asked for it; empty for a trial of its own
    code_hash, code_commit : of the code
    features_hash : of the names of the columns that it reads
    config_hash : of the configuration
    seed : of every random number; None for a manual one
    note : what a person says of a manual one
    locked : share of the judged window that is locked away (`walk.lockbox`), one for all trials of a family
    sealed_from : first session of the lock-box, YYYY-MM-DD; empty without one, and in lines that do not tell it
    """

    kind: str
    family: Family
    market: str
    simulated: bool
    hypothesis_id: str = ""
    parent: str = ""
    code_hash: str = ""
    code_commit: str = ""
    features_hash: str = ""
    config_hash: str = ""
    seed: int | None = None
    note: str = ""
    locked: float = SHARE
    sealed_from: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values."""
        return {**asdict(self), "family_id": self.family.id}

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """Read it back from a line of the ledger."""
        own = {name: told[name] for name in cls.__dataclass_fields__ if name != "family" and name in told}
        return cls(family=Family.of(told["family"]), **own)

    def tags(self) -> dict[str, str]:
        """Give the tags by which MLflow finds the runs of a family or a hypothesis."""
        return {
            "family_id": self.family.id,
            "assets": ",".join(self.family.assets),
            "horizons": ",".join(map(str, self.family.horizons)),
            "hypothesis_id": self.hypothesis_id,
            "parent": self.parent,
            "data.content": self.family.data,
            "oos_start": self.family.oos_start,
            "oos_end": self.family.oos_end,
            "lockbox_share": str(self.locked),
            "lockbox_from": self.sealed_from,
            "lockbox_opened": "false",
        }

    @classmethod
    def of_tags(cls, tags: Mapping[str, str]) -> Self:
        """Read back what the tags of a run tell of it; what they do not is empty."""
        horizons = tuple(int(each) for each in tags["horizons"].split(","))
        data = tags.get("data.content") or tags["data.fingerprint"]  # of before, families had the fingerprint
        family = Family(tuple(tags["assets"].split(",")), horizons, data, tags["oos_start"], tags["oos_end"])
        seed = tags.get("seed", "")
        return cls(
            tags.get("job", TRAIN),
            family,
            tags.get("market", "unknown"),
            tags.get("simulated") == "true",
            tags.get("hypothesis_id", ""),
            tags.get("parent", ""),
            tags.get("code.hash", ""),
            tags.get("code.commit", ""),
            seed=int(seed) if seed.isdigit() else None,
            locked=float(tags.get("lockbox_share", SHARE)),
            sealed_from=tags.get("lockbox_from", ""),
        )


def trial_of(
    market: Market,
    config: TrainConfig,
    window: tuple[pd.Timestamp, pd.Timestamp],
    kind: str,
    code: tuple[str, str],
    sealed_from: pd.Timestamp | None = None,
) -> Trial:
    """Describe the trial that a job is about to make.

    Parameters
    ----------
    window : first and last session that the walk plans to forecast
    kind : one of `JOBS`
    code : hash and commit of the code
    sealed_from : first session of the lock-box; None without one
    """
    first, last = (f"{each:%Y-%m-%d}" for each in window)
    family = Family(tuple(sorted(config.assets)), tuple(sorted(config.horizons)), market.content_hash(), first, last)
    return Trial(
        kind,
        family,
        market.name,
        market.simulated,
        hypothesis_of(config),
        code_hash=code[0],
        code_commit=code[1],
        features_hash=_hash(sorted({*config.regime.reads, *config.forecast.features})),
        config_hash=config_hash_of(config),
        seed=config.seed,
        locked=config.walk.lockbox,
        sealed_from="" if sealed_from is None else f"{sealed_from:%Y-%m-%d}",
    )


def hypothesis_of(config: TrainConfig, procedure: Mapping[str, Any] | None = None) -> str:
    """Identify what a configuration claims: everything in it but the seed.

    Parameters
    ----------
    procedure : how configurations are searched from it; None for the configuration itself
    """
    claim = {key: value for key, value in config.model_dump(mode="json").items() if key != "seed"}
    return _hash(claim if procedure is None else {**claim, "search": dict(procedure)})


def config_hash_of(config: TrainConfig) -> str:
    """Identify a configuration, its seed included."""
    return _hash(config.model_dump(mode="json"))


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:SHORT]
