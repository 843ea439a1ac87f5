"""The report's sentences on the whole ladder: whether the luckiest of its rungs is better than the best baseline."""

from serving.words import count, p_value, plural
from training.evaluation.ladder import ladder_tests
from training.study import Study


def ladder_sentences(study: Study) -> list[str]:
    """Say a sentence an asset and horizon up to 21 sessions; none where nothing was judged."""
    out = []
    for asset, horizon, baseline, test in ladder_tests(study.forecasts.losses, study.skill):
        found = (
            f"not tested: {test.refused}"
            if test.refused
            else f"p {p_value(test.p)} that none of {plural(len(test.models), 'rung')} has a smaller CRPS than {baseline} "
            f"({count(test.n)} rows that do not overlap)"
        )
        out.append(f"{asset} over {horizon} sessions: {found}.")
    return out
