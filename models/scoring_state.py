"""What a scorer carries from one session to the next, and how it is kept: bytes, to the bit, without pickle."""

import json
from dataclasses import dataclass

import numpy as np

from models.errors import ScoringError
from models.inference import Array

FORMAT = 1


@dataclass(frozen=True)
class ScoringState:
    """What is carried from one session to the next.

    Attributes
    ----------
    n_after : sessions answered after the last published one
    states : what the filter of the regimes carries
    ensemble : (n_refits, n_states) what those of the refits carry; None where there are none
    held : whether the first state is held
    """

    n_after: int
    states: Array
    ensemble: Array | None
    held: bool

    def to_bytes(self) -> bytes:
        """Give it as a line of JSON and the numbers after it."""
        arrays = [self.states] if self.ensemble is None else [self.states, self.ensemble]
        head = {"format": FORMAT, "n_after": self.n_after, "held": self.held, "shapes": [each.shape for each in arrays]}
        return json.dumps(head).encode() + b"\n" + b"".join(np.ascontiguousarray(each, dtype="<f8").tobytes() for each in arrays)

    def from_bytes(self, kept: bytes) -> "ScoringState":
        """Read a state of the same model back.

        Raises
        ------
        ScoringError
            Where it is of another format or model, or cut short.
        """
        line, _, body = kept.partition(b"\n")
        try:
            head = json.loads(line)
            shapes = [tuple(shape) for shape in head["shapes"]]
            known = head["format"] == FORMAT and len(body) == 8 * sum(int(np.prod(shape)) for shape in shapes)
        except (ValueError, KeyError, TypeError):
            known, shapes = False, []
        own = [each.shape for each in (self.states, self.ensemble) if each is not None]
        if not known or shapes != own:
            raise ScoringError(
                f"a filter's state is kept as format {FORMAT} with arrays {own}; what was read is not. Begin anew from the observations"
            )
        arrays = []
        for shape in shapes:
            size = 8 * int(np.prod(shape))
            arrays.append(np.frombuffer(body[:size], dtype="<f8").reshape(shape))
            body = body[size:]
        return ScoringState(int(head["n_after"]), arrays[0], arrays[1] if len(arrays) > 1 else None, bool(head["held"]))
