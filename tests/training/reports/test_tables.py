"""Tables of the report: every cell stands under its own title."""

import pandas as pd
import pytest

from training.reports.table import Table
from training.reports.tables_skill import interval_table


def test_table_refuses_a_row_of_another_length_than_its_head():
    Table("Fits.", ["a", "b"], [["1", "2"]])
    for row in (["1"], ["1", "2", "3"]):
        with pytest.raises(ValueError, match=r"'Off\.'.*2 cells, one a title, got"):
            Table("Off.", ["a", "b"], [["1", "2"], row])


def test_scores_stand_under_their_titles():
    row = {"asset": "BTC", "horizon": 5, "rung": "served", "best_baseline": "M0", "n": 1000, "n_independent": 200}
    scores = {
        "crps": 0.02,
        "log_score": -1.0,
        "pinball": 0.01,
        "interval_score": 0.1,
        "brier": 0.25,
        "coverage_80": 0.83,
        "p_overlap": 0.43,
    }
    table = interval_table(pd.DataFrame([row | scores]))
    cells = dict(zip(table.head, table.rows[0], strict=True))
    assert cells["80% interval held"] == "83%"
    assert cells["p of all rows"] == ".43"
    assert cells["n (independent)"] == "1000 (200)"
    assert cells["Brier of P(up)"] == "0.250"
