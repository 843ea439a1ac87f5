"""What a user can get wrong in a job."""


class JobError(ValueError):
    """A job that cannot be done as asked: the message names the thing, the rule, the value and the way out."""


class LedgerError(JobError):
    """A ledger of trials that cannot be read or written, or that is not as it was written."""
