"""How far the filtered probability moves when the parameters do: many refitted models, filtered together."""

from dataclasses import dataclass

import numpy as np

from models.inference import forward_filter, predict_next
from models.params import Array, HMMParams

FIELDS = ("start", "trans", "means", "scales", "dof")
"""Arrays that an ensemble is stored as, each with the models along its first axis."""


@dataclass(frozen=True)
class Ensemble:
    """Models with the same states, refitted on resampled history.

    Attributes
    ----------
    members : parameters of each model
    """

    members: tuple[HMMParams, ...]

    def filter_proba(self, X: Array, last: Array | None = None) -> Array:
        """Filtered probabilities under every model, (n_obs, n_models, n_states); a NaN in `X` is marginalised out.

        Parameters
        ----------
        X : (n_obs, n_features)
        last : (n_models, n_states) of the row before the first; None at the beginning of history
        """
        priors = [None] * len(self.members) if last is None else [predict_next(p, m.trans) for p, m in zip(last, self.members, strict=True)]
        return np.stack([forward_filter(X, each, prior).probs for each, prior in zip(self.members, priors, strict=True)], axis=1)

    def arrays(self) -> dict[str, Array]:
        """Give its arrays by name (`FIELDS`), models along the first axis."""
        return {name: np.stack([getattr(each, name) for each in self.members]) for name in FIELDS}

    @classmethod
    def from_arrays(cls, arrays: dict[str, Array]) -> "Ensemble":
        """Inverse of `arrays`."""
        return cls(tuple(HMMParams(*each) for each in zip(*(arrays[name] for name in FIELDS), strict=True)))
