"""What each plot of the report is, and what to see in it."""

from collections.abc import Mapping

CAPTIONS: Mapping[str, tuple[str, str]] = {
    "regimes": (
        "Price of the Russell 2000 with the published regimes shaded, refits ticked, and the filtered probability of risk-on below.",
        "Tint is what was called on the day, with what was known on the day: nothing is relabelled later. Look whether hatched (risk-off) "
        "stretches begin before or after the falls, and how often the call flips. Ticks at the foot are refits. A call begins above the "
        "line 'enter' and ends below 'leave'. The calls begin with the first fit; before it there is history to learn from.",
    ),
    "range": (
        "Published probability of risk-on over the range of the specifications, with ambiguous days marked: all years, and the newest one.",
        "A thin band: how the model is specified hardly matters. Where the band reaches across the dotted line the specifications do not "
        "agree whether risk-on is likely, and the day is marked at the foot: then the call hangs on a choice that the data do not make. "
        "Grey, since the newest refit: 80% of refits on resampled history; wide grey says that the parameters are not known any better.",
    ),
    "moved": (
        "Log-odds of risk-on before the newest session, what each family added, and after it; below, what they were made of over a year.",
        "Log-odds of 0 are even odds, +2.2 is .90, -2.2 is .10. The bars ask what the newest session changed: a family that pulls against "
        "the total is evidence the other way. The lines ask what the probability is made of, with each family's rows of the whole stretch; "
        "'model alone' is what would be said without any of them. All of it under the newest parameters.",
    ),
    "refits": (
        "By refit: what the names of the states rest on, days relabelled, and how far the refit takes back what was published.",
        "Above, of the model (of an average: of its first): how probably the states keep their order on resampled history, whether they "
        "foretell returns better than one state does, how far they are apart. Names need every curve at or above its dotted line (states "
        "whose means surely differ need no ratio); order and gain are weighed once a year, and at once where a refit's states are others. "
        "A cross is a refit whose states carry no names: what it published is 'unidentified'. Below: days whose likeliest state changed "
        "against the refit before; how far the refit's probabilities are from the published ones; published names it would change. High "
        "values: past calls were not settled.",
    ),
    "fans": (
        "Forecast quantiles of each asset by horizon over the quantiles of all its past moves.",
        "Blue lines on the edges of the grey say that today is forecast like any other day. A forecast fan inside the grey is a calm "
        "day's, one outside it a nervous day's; a median apart from the dashed one is a forecast drift, which the skill table must bear "
        "out. Full marks: an interval calibrated on its own misses; hollow: the model's own, where too few misses apart are known. Grey "
        "knows only moves that were over on this session.",
    ),
    "reliability": (
        "Share of rises against the probability given, by asset and horizon, with 95% intervals.",
        "Points on the dotted line are reliable; flat points mean that the probability told nothing. A bar that crosses the line is no "
        "evidence against it; bars are wide because rows that overlap say the same thing twice. Out-of-sample rows of the inner walk's "
        "choices, before the rule that serves the baseline where nothing beats it.",
    ),
    "pit": (
        "Histograms of where outcomes fell in their forecast distributions, by asset and horizon.",
        "Level at 1 is calibrated. A hump in the middle: intervals too wide; high ends: too narrow; a slope: the middle is off. "
        "The band is two standard errors for the asset with the fewest rows that do not overlap.",
    ),
    "gain": (
        "Cumulative CRPS saved against the best baseline over time, by asset and horizon.",
        "Rising: better than the baseline in that stretch; a line ends at the CRPS skill of the table. Flat: the inner walk had chosen "
        "that very baseline. Skill that came in one stretch is luck until shown otherwise. The baseline was picked with hindsight, which "
        "favours it.",
    ),
    "paths": (
        "Every path of each asset around confirmed breakouts of small caps, over the moves around any session.",
        "Count the lines first: so few cannot prove a rule. A path is remarkable only outside the grey, which holds 80% of the moves "
        "around any session, and the eye likes the ones that left it at the top. Entry is the session that confirmed the breakout, not "
        "the break itself.",
    ),
}
"""By plot: its alternative text, and its caption."""
