"""Regimes and forward-return distributions: arrays in, frozen records out."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.estimators_hmm import GaussianRegimes, StudentTRegimes
    from models.estimators_jump import JumpRegimes
    from models.estimators_supervised import SupervisedRegimes
    from models.gaussian_hmm import GaussianHMM
    from models.jump_model import JumpModel
    from models.selection import select_n_states
    from models.student_hmm import StudentTHMM
    from models.tvtp_hmm import TVTPHMM

__all__ = [
    "TVTPHMM",
    "GaussianHMM",
    "GaussianRegimes",
    "JumpModel",
    "JumpRegimes",
    "StudentTHMM",
    "StudentTRegimes",
    "SupervisedRegimes",
    "select_n_states",
]

HOMES = {
    "GaussianHMM": "models.gaussian_hmm",
    "GaussianRegimes": "models.estimators_hmm",
    "JumpModel": "models.jump_model",
    "JumpRegimes": "models.estimators_jump",
    "StudentTHMM": "models.student_hmm",
    "StudentTRegimes": "models.estimators_hmm",
    "SupervisedRegimes": "models.estimators_supervised",
    "TVTPHMM": "models.tvtp_hmm",
    "select_n_states": "models.selection",
}


def __getattr__(name: str) -> Any:
    """Import a model when it is asked for: what serves one needs neither hmmlearn nor numba."""
    if name in HOMES:
        return getattr(import_module(HOMES[name]), name)
    raise AttributeError(f"module 'models' has no attribute '{name}'")
