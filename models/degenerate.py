"""The warning of a fit that should not be relied on."""


class DegenerateFitWarning(UserWarning):
    """A fit ended without converging or with a state that hardly occurs."""
