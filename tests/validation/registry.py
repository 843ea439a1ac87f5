"""Every experiment of the study, in the order of METHODS 6."""

from tests.validation import best_of_noise, event_noise, event_planted, in_sample, intervals, lag, nested, noise, planted, register

EXPERIMENTS = tuple(
    each.EXPERIMENT for each in (in_sample, nested, noise, planted, lag, intervals, event_noise, event_planted, best_of_noise, register)
)
