"""What a plan of fetching may say."""

import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from features.errors import DataError
from sources.fred import ADDRESS, SERIES
from sources.strict import Day, Rule, Strict
from sources.yaml_file import expand, first_fault, read_yaml

Address = Annotated[str, Field(pattern=r"^https?://")]


class FredSeries(Strict):
    """A series of FRED that `sources.fred.SERIES` does not list."""

    name: str
    known_at: Rule


class FredPlan(Strict):
    """Series by FRED's identifier; those of `sources.fred.SERIES` are known by their identifier alone.

    Attributes
    ----------
    series : identifiers
    other : name and publication rule by identifier
    address : of the service
    """

    series: tuple[str, ...] = tuple(SERIES)
    other: dict[str, FredSeries] = Field(default_factory=dict)
    address: Address = ADDRESS

    @model_validator(mode="after")
    def _are_known(self) -> "FredPlan":
        unknown = [each for each in self.series if each not in SERIES]
        if unknown:
            raise ValueError(f"series '{unknown[0]}' has no rule for known-at; put it under 'other' with 'name' and 'known_at'")
        return self


class FundPlan(Strict):
    """Workbook of one fund as its issuer serves it.

    Attributes
    ----------
    url : of the workbook
    splits : new shares per old share by ex-date
    members : whether its holdings are the index
    """

    url: Address
    splits: dict[datetime.date, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    members: bool = False


class YahooPlan(Strict):
    """Tickers of Yahoo by our name of the series; needs the extra `yahoo`.

    Attributes
    ----------
    start : first date
    prices : funds and indices
    panel : file with a ticker a line, or name=ticker, beside the plan: constituents
    coins : coins in USD
    since : by our name, the first date on which the ticker was this company's
    """

    start: Day
    prices: dict[str, str] = Field(default_factory=dict)
    panel: str | None = None
    coins: dict[str, str] = Field(default_factory=dict)
    since: dict[str, Day] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _since_of_what(self) -> "YahooPlan":
        unknown = [name for name in self.since if name not in self.prices and name not in self.coins and self.panel is None]
        if unknown:
            raise ValueError(f"since names '{unknown[0]}', which is neither in prices nor in coins; rule: our name of a series")
        return self


class ExchangePlan(Strict):
    """Daily bars of coins from one exchange; needs the extra `exchange`.

    Attributes
    ----------
    exchange : name at ccxt
    start : first UTC day
    symbols : the exchange's symbol by our name of the asset
    """

    exchange: str
    start: Day
    symbols: dict[str, str]


class SecPlan(Strict):
    """Documents 'companyfacts' of the SEC.

    Attributes
    ----------
    companies : numbers (CIK), or a file with one a line, below the folder of the plan
    address : of the service
    fresh_hours : a document fetched so short a time ago is not fetched again: a run that was cut short goes on where it was
    """

    companies: tuple[int, ...] | str
    address: Address = "https://data.sec.gov"
    fresh_hours: Annotated[float, Field(ge=0)] = 20.0


class FilesPlan(Strict):
    """A market of files whose records are kept as well."""

    market: str


class FetchPlan(Strict):
    """What to fetch, and the store it goes to.

    Attributes
    ----------
    store : folder; may name environment variables as `${NAME}`, and is made where it does not exist
    user_agent : who asks: a name and an e-mail address; may name environment variables
    per_second : requests a second to each host
    """

    kind: Literal["fetch"]
    store: str
    user_agent: str = ""
    per_second: Annotated[float, Field(gt=0, le=10)] = 5.0
    files: FilesPlan | None = None
    fred: FredPlan | None = None
    funds: dict[str, FundPlan] = Field(default_factory=dict)
    yahoo: YahooPlan | None = None
    coins: tuple[ExchangePlan, ...] = ()
    sec: SecPlan | None = None

    @model_validator(mode="after")
    def _one_index(self) -> "FetchPlan":
        lists = [name for name, fund in self.funds.items() if fund.members]
        if len(lists) > 1:
            raise ValueError(f"funds {', '.join(lists)} all say 'members'; rule: one fund's holdings are the index")
        return self


def read_plan(path: str | Path) -> FetchPlan:
    """Read and check a plan.

    Raises
    ------
    DataError
        Naming file, key and rule.
    """
    tree = read_yaml(Path(path), "plan")
    if not isinstance(tree, dict) or tree.get("kind") != "fetch":
        found = tree.get("kind") if isinstance(tree, dict) else None
        raise DataError(f"{path}: 'kind' is {found!r}; rule: a plan of fetching says 'kind: fetch'")
    try:
        plan = TypeAdapter(FetchPlan).validate_python(tree)
    except ValidationError as error:
        raise DataError(f"{path}: {first_fault(error)}") from None
    store = expand(plan.store, "store", "set it to the folder the store shall be in, e.g. export {name}=/path/to/store")
    return plan.model_copy(update={"store": str(Path(path).parent / Path(store).expanduser())})
