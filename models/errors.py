"""What models refuse."""


class FitError(ValueError):
    """Rows that a model cannot be fitted on: the message names the rule, the value and the way out."""


class ScoringError(ValueError):
    """Rows that cannot be scored: the message names the row or column, the rule and the way out."""
