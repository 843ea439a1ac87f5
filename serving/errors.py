"""What can go wrong when an answer is asked for."""


class ServingError(ValueError):
    """A request that cannot be answered: the message names the thing, the rule, the value and the way out."""


class LabelError(ServingError):
    """Published labels that cannot be read or written; the answer or the model they belong to is not touched by it."""
