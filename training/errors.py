"""What a user can get wrong in a job."""


class JobError(ValueError):
    """A job that cannot be done as asked: the message names the thing, the rule, the value and the way out."""
