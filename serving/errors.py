"""What can go wrong when an answer is asked for."""


class ServingError(ValueError):
    """A request that cannot be answered: the message names the thing, the rule, the value and the way out."""
