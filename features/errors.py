"""What can be wrong with the data that enters."""


class DataError(ValueError):
    """Data that cannot be used: the message names file, column, row, rule and the way out."""
