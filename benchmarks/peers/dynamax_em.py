"""EM with dynamax, compiled by JAX for one core and 64 bits."""

import os
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from models.params import HMMParams

Array = NDArray[np.float64]


def compile_fit(X: Array, start: HMMParams, n_iter: int) -> Callable[[], tuple[HMMParams, Array]]:
    """Give what runs `n_iter` iterations from `start` with dynamax's default priors; the first call compiles."""
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    import jax

    jax.config.update("jax_enable_x64", True)
    from dynamax.hidden_markov_model import GaussianHMM

    model = GaussianHMM(start.n_states, start.n_features)
    # a start that comes from Python counts as untyped, and the compiled loop wants the types it gives back
    params, props = model.initialize(
        initial_probs=jax.numpy.asarray(start.start),
        transition_matrix=jax.numpy.asarray(start.trans),
        emission_means=jax.numpy.asarray(start.means),
        emission_covariances=jax.numpy.asarray(start.scales),
    )
    run = jax.jit(lambda given, rows: model.fit_em(given, props, rows, num_iters=n_iter, verbose=False))
    rows = jax.numpy.asarray(X)

    def fit() -> tuple[HMMParams, Array]:
        found, log_posteriors = jax.block_until_ready(run(params, rows))
        numbers = (found.initial.probs, found.transitions.transition_matrix, found.emissions.means, found.emissions.covs)
        return HMMParams(*(np.asarray(each) for each in numbers)), np.asarray(log_posteriors)

    return fit
