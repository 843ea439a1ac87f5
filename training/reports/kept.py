"""A report as it is kept: the page, and its plots in files beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from training.reports.plot import Plot

FILES: Mapping[str, str] = {"regimes": "regimes", "fans": "forecast_fans", "gain": "loss_over_time"}
"""Plots that MLflow keeps beside the report, by the names of their files."""


@dataclass(frozen=True)
class Report:
    """A report as it is read, and its plots by name (of `training.reports.captions.CAPTIONS`)."""

    html: str
    plots: Mapping[str, Plot]

    def write_plots(self, folder: Path) -> list[Path]:
        """Write the plots of `FILES` that could be drawn as SVG files.

        Parameters
        ----------
        folder : exists
        """
        files = {folder / f"{name}.svg": self.plots[key] for key, name in FILES.items() if key in self.plots}
        for path, plot in files.items():
            path.write_bytes(plot.svg)
        return list(files)
