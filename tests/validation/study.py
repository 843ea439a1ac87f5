"""Running an experiment: its worlds over the processes, its findings, its figure."""

import io
import warnings

import pandas as pd
from joblib import Parallel, delayed
from PIL import Image

from tests.validation.experiment import Experiment, Finding
from training.reports.style import canvas, to_bytes

HEIGHT = 3.4
COLOURS = 32
"""Of a figure: enough for lines and their edges, a third of the bytes."""


def judged(experiment: Experiment, worlds: int, jobs: int) -> tuple[pd.DataFrame, list[Finding]]:
    """Measure so many worlds and judge them; the same whatever the number of processes."""
    parts = Parallel(n_jobs=jobs)(delayed(experiment.run)(seeds) for seeds in experiment.chunks(worlds))
    measures = pd.concat(parts, ignore_index=True)
    return measures, list(experiment.judge(measures))


def figure(experiment: Experiment, measures: pd.DataFrame) -> bytes:
    """Draw the figure as PNG, the same bytes for the same measures."""
    with canvas(HEIGHT, simulated=False) as drawn, warnings.catch_warnings():
        warnings.simplefilter("error")
        experiment.draw(drawn, measures)
        whole = Image.open(io.BytesIO(to_bytes(drawn, "png"))).convert("RGB")
    out = io.BytesIO()
    whole.quantize(COLOURS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()
