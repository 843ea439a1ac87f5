"""hmmlearn's own methods, which see the whole sequence, where something is missing."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.engine.filtering import log_densities
from models.params import Array


class WholeSequenceMixin:
    """Between `models.causal.CausalMixin` and an hmmlearn model: complete rows go to hmmlearn, what is missing is integrated out here."""

    def decode(self: Any, X: ArrayLike, lengths: ArrayLike | None = None, algorithm: str | None = None) -> tuple[float, NDArray[np.int64]]:
        """Hmmlearn's `decode`, and with NaN where something is missing; it sees the whole sequence."""
        rows, runs = self._rows(X, lengths)
        if not np.isnan(rows).any():
            path: tuple[float, NDArray[np.int64]] = super().decode(rows, runs, algorithm)  # type: ignore[misc]
            return path
        self._check()
        ways = {"viterbi": self._decode_viterbi, "map": self._decode_map}
        wanted = algorithm or self.algorithm
        if wanted not in ways:
            raise ValueError(f"decode: algorithm is {wanted!r}; rule: one of {sorted(ways)}")
        parts = [ways[wanted](part) for part in np.split(rows, np.cumsum([len(rows)] if runs is None else runs)[:-1])]
        return sum(part[0] for part in parts), np.concatenate([part[1] for part in parts])

    def _score(self: Any, X: ArrayLike, lengths: ArrayLike | None = None, *, compute_posteriors: bool) -> tuple[float, Array]:
        rows, runs = self._rows(X, lengths)
        if np.isnan(rows).any():
            return self.score(rows, runs), self.smooth_proba(rows, runs)
        answer: tuple[float, Array] = super()._score(rows, runs, compute_posteriors=compute_posteriors)  # type: ignore[misc]
        return answer

    def _compute_log_likelihood(self: Any, X: Array) -> Array:
        if np.isnan(X).any():
            return log_densities(X, self.params_)
        return np.asarray(super()._compute_log_likelihood(X))  # type: ignore[misc]
