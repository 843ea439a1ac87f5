"""Regimes and forward-return distributions: arrays in, frozen records out."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.gaussian_hmm import GaussianHMM
    from models.jump_model import JumpModel
    from models.student_hmm import StudentTHMM
    from models.tvtp_hmm import TVTPHMM

__all__ = ["TVTPHMM", "GaussianHMM", "JumpModel", "StudentTHMM"]

HOMES = {
    "GaussianHMM": "models.gaussian_hmm",
    "JumpModel": "models.jump_model",
    "StudentTHMM": "models.student_hmm",
    "TVTPHMM": "models.tvtp_hmm",
}


def __getattr__(name: str) -> Any:
    """Import a model when it is asked for: what serves one needs neither hmmlearn nor numba."""
    if name in HOMES:
        return getattr(import_module(HOMES[name]), name)
    raise AttributeError(f"module 'models' has no attribute '{name}'")
