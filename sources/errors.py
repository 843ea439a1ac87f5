"""What can go wrong with a service."""

from features.errors import DataError


class WebError(DataError):
    """A service that did not give what was asked; `status` is that of its answer, None where there was none."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class PassingError(Exception):
    """A fault that may be gone at the next attempt.

    Parameters
    ----------
    reason : in words, for the error shown when the attempts are used up
    wait : seconds the server asked for, 0 if it did not
    status : HTTP status, None where no answer came
    """

    def __init__(self, reason: str, wait: float = 0.0, status: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait = wait
        self.status = status
