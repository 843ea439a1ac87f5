"""What a market file may say: one model a section, and nothing that they do not name."""

import datetime
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Discriminator, Field, Tag, field_validator, model_validator

from sources.downloads import CompanyFacts, FredFile, FundBook, MemberBooks, Statements
from sources.strict import Clipped, Day, Rule, Strict, told_by


class File(Clipped):
    """A file of records.

    Attributes
    ----------
    path : below the root of the market file; .csv, .csv.gz or .parquet
    known_at : publication rule (`sources.known.RULES`)
    date, date_format : the column of dates and how they are written
    """

    path: str
    known_at: Rule
    date: str = "date"
    date_format: str = "%Y-%m-%d"


class PriceFile(File):
    """Columns of price-return closes (split-adjusted only) and of total-return closes; one of them may be missing."""

    close: str | None = None
    adj_close: str | None = None

    @model_validator(mode="after")
    def _has_a_close(self) -> Self:
        if self.close is None and self.adj_close is None:
            raise ValueError("neither 'close' nor 'adj_close' is given; rule: name the column of one of them at least")
        return self


class CoinFile(File):
    """Closes of one coin (`asset`) or of many (`symbol` names the column of their symbols).

    `source` names a column that says where a row is from; where one coin has several rows on a day, the first of `prefer` counts.
    """

    close: str = "close"
    asset: str | None = None
    symbol: str | None = None
    source: str | None = None
    prefer: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _names_its_coins(self) -> Self:
        if (self.asset is None) == (self.symbol is None):
            raise ValueError("give either 'asset', the coin of this file, or 'symbol', the column of the coins' symbols")
        if (self.source is None) != (not self.prefer):
            raise ValueError("'source' and 'prefer' go together: the column, and its values in order of preference")
        return self


class CapFile(Strict):
    """Market caps by coin and date; 0 means missing. They join the closes of the same coin and date, and are known with them."""

    path: str
    symbol: str = "symbol"
    date: str = "date"
    date_format: str = "%Y-%m-%d"
    market_cap: str = "market_cap"


class PanelFile(Strict):
    """Closes of many securities, one column each, split- and dividend-adjusted."""

    path: str
    known_at: Rule
    date: str = "date"
    date_format: str = "%Y-%m-%d"


class MemberFile(Strict):
    """Snapshots of the index: `dates` gives a date to each label of `snapshot` that is none itself."""

    path: str
    known_at: Rule
    snapshot: str = "snapshot"
    security: str = "ticker"
    date_format: str = "%Y-%m-%d"
    dates: dict[str, Day] = Field(default_factory=dict)


class FundFile(File):
    """Net asset value and shares outstanding of one fund; `splits` gives new shares per old share by ex-date."""

    nav: str = "nav"
    shares_outstanding: str = "shares_outstanding"
    splits: dict[datetime.date, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)


class FilingFile(File):
    """Periodic reports. `date` is the column of the filing date; `months` gives the length of the period of each form."""

    security: str = "symbol"
    form: str = "form"
    period_end: str = "period_end"
    net_income: str = "net_income"
    revenue: str = "revenue"
    months: dict[str, Annotated[int, Field(ge=1, le=12)]]


class MacroFile(File):
    """One value a date."""

    value: str = "value"


class Span(Clipped):
    """Sessions of the market; it ends with the last one of R2000 where `end` is missing."""

    start: Day
    end: Day | None = None


Fund = Annotated[Annotated[FundFile, Tag("<path")] | Annotated[FundBook, Tag("<workbook")], Discriminator(told_by("workbook"))]
Members = Annotated[Annotated[MemberFile, Tag("<path")] | Annotated[MemberBooks, Tag("<workbooks")], Discriminator(told_by("workbooks"))]
Filings = Annotated[
    Annotated[FilingFile, Tag("<path")] | Annotated[CompanyFacts, Tag("<companyfacts")] | Annotated[Statements, Tag("<statements")],
    Discriminator(told_by("companyfacts", "statements")),
]
Macro = Annotated[Annotated[MacroFile, Tag("<path")] | Annotated[FredFile, Tag("<fred")], Discriminator(told_by("fred"))]


class FilesSpec(Strict):
    """A market read from files below `root`, which may name environment variables as `${NAME}`."""

    kind: Literal["files"]
    root: str
    name: str = "files"
    note: str = "read from files"
    calendar: Span
    prices: dict[str, PriceFile]
    coins: tuple[CoinFile, ...] = ()
    caps: tuple[CapFile, ...] = ()
    panel: PanelFile | None = None
    members: Members | None = None
    funds: dict[str, Fund] = Field(default_factory=dict)
    filings: Filings | None = None
    macro: dict[str, Macro] = Field(default_factory=dict)

    @field_validator("prices")
    @classmethod
    def _has_small_caps(cls, value: dict[str, PriceFile]) -> dict[str, PriceFile]:
        if "R2000" not in value or value["R2000"].close is None:
            raise ValueError("series 'R2000' with a 'close' is missing; rule: the price index of the Russell 2000 is required")
        return value


class StoreSpec(Clipped):
    """A market out of a store: what was known at `known`, as far as it was recorded by `recorded`.

    Attributes
    ----------
    root : of the store; may name environment variables as `${NAME}`
    start, end : first and last session; those of the stored prices where missing
    known : instant with a time zone; by default `recorded`
    recorded : instant with a time zone; by default that of the last batch
    prints : `first` prints of each key, or the `newest`
    quoted : series whose prices come from quotes where they have any, whatever prices are stored; by default all that have quotes
    panel : `stored` closes alone, or with `quotes` all quoted securities that are not in `quoted` as well, as total-return closes
    counted : count the panel where it lies in place of holding it, for panels of thousands; counts are kept beside the store, and from one
        session to the next only what came is counted
    """

    kind: Literal["store"]
    root: str
    name: str = "store"
    note: str = "read from the store"
    start: Day | None = None
    end: Day | None = None
    known: AwareDatetime | None = None
    recorded: AwareDatetime | None = None
    prints: Literal["first", "newest"] = "first"
    quoted: tuple[str, ...] | None = None
    panel: Literal["stored", "quotes"] = "stored"
    counted: bool = False

    @model_validator(mode="after")
    def _has_a_panel(self) -> Self:
        if self.panel == "quotes" and self.quoted is None:
            raise ValueError("panel is 'quotes' and 'quoted' is missing; rule: name the series that are prices, the others are the panel")
        if self.counted and self.prints != "first":
            raise ValueError("counted with the newest prints; rule: counts are of first prints, or what was counted before would change")
        return self


class SimulatedSpec(Strict):
    """A sample market: the parameters of `sources.simulate_market`."""

    kind: Literal["simulated"]
    seed: int = 0
    effect: float = 0.004
    lag: int = 10
    years: int = 13
    end: datetime.date = datetime.date(2024, 12, 31)
    n_stocks: int = 300
    n_states: int = 2
