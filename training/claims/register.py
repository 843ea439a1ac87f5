"""The claims on trial, each with the one cell of the grid by which it is judged, fixed before the figures were seen (METHODS 4)."""

from dataclasses import dataclass

from training.claims.rules import CONFIRMED, HELD, RECORD

SOURCE = "newspaper claims of December 2025"


@dataclass(frozen=True)
class Claim:
    """A claim about what follows events of small caps.

    Attributes
    ----------
    name : C1 and so on
    words : what is claimed, for anyone
    series, state, asset, horizon : the cell by which it is judged
    always : whether it says that it never fails: one fall contradicts it
    also : other assets that the claim is about, shown beside
    care : what stands in for what, or what the words leave open
    """

    name: str
    words: str
    series: str
    state: str
    asset: str
    horizon: int
    always: bool = False
    also: tuple[str, ...] = ()
    care: str = ""


CLAIMS = (
    Claim(
        "C1",
        "When US small-cap value stocks make a record high, appetite for risk is on.",
        "IWN",
        CONFIRMED,
        "BTC",
        63,
        also=("ETH", "ALT"),
        care="The claim is about the Russell 2000 Value index, which is not in the data; its fund IWN stands in, without dividends.",
    ),
    Claim(
        "C2",
        "In late 2020 the old record of small caps turned from resistance to support, and Bitcoin rose by some 380%.",
        "R2000",
        HELD,
        "BTC",
        252,
        care="380% is the best close on the way, picked with hindsight; what one earned by a fixed date is another number.",
    ),
    Claim(
        "C3",
        "After each of the three earlier record highs of the Russell 2000 Bitcoin rose.",
        "R2000",
        RECORD,
        "BTC",
        63,
        always=True,
        care="A record counts if the one before had stood for a year: 252 sessions.",
    ),
    Claim("C4", "Ether always follows.", "R2000", CONFIRMED, "ETH", 63, always=True),
    Claim(
        "C5",
        "Altcoins rallied after IWM, the fund of the Russell 2000, broke its record in 2017 and 2021.",
        "IWM",
        CONFIRMED,
        "ALT",
        63,
        also=("TOTAL3X",),
        care="The claim is about OTHERS, which is not in the data. An equal-weight index of the altcoins on file stands in: survivors, "
        "which flatters it. The rule takes the day of the break, which need not fall in those years.",
    ),
)

FLOWS = "Against the thesis: money leaves small-cap funds (some -$19.5 bn in 2025), and some 40% of small companies lose money."
TIMING = "Timing matters more than correlation."

GAIN_SAID = 3.8
"""The gain of claim C2, as a share: 380%."""

LOSS_SHARE_SAID, LOSS_TOLERANCE = 0.40, 0.05
"""Share of loss-makers of claim C6, and how far vendors' definitions lie apart (METHODS 1.4)."""
