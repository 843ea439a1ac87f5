"""The picture of the data: everything named, nothing from elsewhere, spikes not lost, SIMULATED where it is."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest

from sources.inventory import Series, take_inventory
from training.data.report import instants, render_status, write_data_report
from training.data.strips import POINTS, delay_words, place, strip, year_ticks
from training.reports.inputs import HIGH, WIDE

SPAN = (pd.Timestamp("2015-01-01"), pd.Timestamp("2024-12-31"))


def quiet(what: str, done: int, of: int) -> None:
    """Say nothing of progress."""


def series_of(course: pd.Series, frame: str = "macro", quarantined: tuple[str, ...] = ()) -> Series:
    hour = pd.Timedelta(hours=1)
    aside = pd.DatetimeIndex(quarantined)
    return Series(
        frame, "X", course.index[0], course.index[-1], len(course), 20 * hour, 21 * hour, 22 * hour, False, 0, None, 1, aside, course
    )


def points(line: str) -> np.ndarray:
    return np.array([pair.split(",") for pair in line.split()], dtype=float)


@pytest.fixture(scope="module")
def page(tmp_path_factory, sample_market) -> str:
    path = write_data_report(sample_market, tmp_path_factory.mktemp("data") / "data.html", quiet)
    return path.read_text(encoding="utf-8")


def test_page_names_every_series_and_family_and_is_marked_simulated(page, sample_market):
    assert page.count("<title>SIMULATED") == 1
    for each in take_inventory(sample_market):
        assert f">{each.name}<small>" in page
    for family in ("Momentum", "Breadth", "Flows", "Profitability", "Liquidity", "Crypto"):
        assert f"<h3>{family}</h3>" in page


def test_page_has_a_section_for_each_question_and_says_what_to_distrust(page):
    for anchor in ("findings", "series", "breakouts", "flows", "altcoins", "breadth", "families", "records"):
        assert page.count(f'<section id="{anchor}"') == 1
        assert f'href="#{anchor}"' in page
    assert "The universe is 2 funds, by name: IWM, VTWO" in page
    assert "<script" not in page


def test_panel_is_marked_as_biased_wherever_it_is_shown(page):
    families = page[page.index('<section id="families"') :]
    shown = [cell for cell in re.findall(r">([^<>]*)<", families) if re.match(r"\s*panel[ _]", cell)]
    assert len(shown) > 10
    assert all("survivorship-biased" in cell for cell in shown)
    inputs = re.findall(r">panel</t[hd]><td[^>]*>([^<]*)<", page)  # the rows of the panel in tables of series
    assert len(inputs) == 2
    assert all(name.endswith("(survivorship-biased)") for name in inputs)
    assert ">Panel (survivorship-biased)</h3>" in page


@pytest.mark.parametrize("prints", ["first", "newest"])
def test_both_instants_are_found_in_the_note_of_a_stored_market(prints):
    known, recorded = "2024-02-29T23:00:00.000000Z", "2024-06-01T12:02:00.000001Z"
    note = f"ours, known to few; {prints} prints known {known}, recorded {recorded}"
    assert instants(note) == {"prints": prints, "known": known, "recorded": recorded}
    assert instants("daily files, final vintages") is None


def test_page_of_a_stored_market_begins_with_the_instants(sample_market, tmp_path):
    note = "read; first prints known 2025-01-01T00:00:00.000000Z, recorded 2025-01-02T00:00:00.000000Z"
    stored = dataclasses.replace(sample_market, note=note)
    path = write_data_report(stored, tmp_path / "data.html", quiet)
    header = path.read_text(encoding="utf-8").partition("<main>")[0]
    assert "<dt>Known by</dt><dd><code>2025-01-01T00:00:00.000000Z</code></dd>" in header
    assert "<code>2025-01-02T00:00:00.000000Z</code>" in header


def test_page_loads_nothing_from_elsewhere(page):
    assert not re.search(r"""(?:src|href)=["'](?!#|data:)""", page)
    assert "http" not in page.replace("http-equiv", "")


def test_spike_of_one_day_is_drawn():
    dates = pd.bdate_range(*SPAN)
    course = pd.Series(1.0, index=dates)
    course.iloc[1234] = 50.0
    (line,) = strip(series_of(course), SPAN).lines
    drawn = points(line)
    assert len(drawn) <= 2 * POINTS + 2
    assert drawn[:, 1].min() == pytest.approx(3.0)  # the top of the strip: the spike
    at = drawn[drawn[:, 1].argmin(), 0]
    assert at == pytest.approx(place(dates[1234], SPAN), abs=0.1)


def test_line_breaks_where_records_are_missing():
    dates = pd.bdate_range(*SPAN)
    whole = pd.Series(np.arange(len(dates), dtype=float), index=dates)
    assert len(strip(series_of(whole), SPAN).lines) == 1
    holed = whole[(dates < "2018-01-01") | (dates > "2018-06-01")]
    before, after = (points(line) for line in strip(series_of(holed), SPAN).lines)
    assert before[-1, 0] < place(pd.Timestamp("2018-01-01"), SPAN) < place(pd.Timestamp("2018-06-01"), SPAN) < after[0, 0]


def test_prices_are_drawn_on_a_log_scale():
    dates = pd.bdate_range(*SPAN)
    course = pd.Series(np.exp(np.linspace(0, 5, len(dates))), index=dates)
    straight, bent = (points(strip(series_of(course, frame), SPAN).lines[0]) for frame in ("prices", "macro"))
    assert np.corrcoef(straight.T)[0, 1] < -0.9999
    assert np.corrcoef(bent.T)[0, 1] > -0.95


def test_records_set_aside_are_marked_at_their_date():
    course = pd.Series(1.0, index=pd.bdate_range(*SPAN))
    drawn = strip(series_of(course, quarantined=("2020-01-01", "1900-01-01")), SPAN)
    assert drawn.marks == [place(pd.Timestamp("2020-01-01"), SPAN)]
    assert "2 set aside, 1 of them on no date of this axis" in drawn.spoken


def test_series_of_one_record_has_a_line_to_be_seen():
    (line,) = strip(series_of(pd.Series([2.0], index=[pd.Timestamp("2020-01-01")])), SPAN).lines
    assert points(line).shape == (2, 2)
    assert 0 < points(line)[0, 1] < HIGH


def test_axis_has_few_years_in_their_places():
    ticks = year_ticks(SPAN)
    assert [year for _, year in ticks] == ["2016", "2018", "2020", "2022", "2024"]
    assert all(0 < x < WIDE for x, _ in ticks)


@pytest.mark.parametrize(("hours", "words"), [(20.25, "20 h"), (47.0, "47 h"), (48.0, "2 d"), (24 * 39.2, "39 d")])
def test_delays_are_written_in_hours_then_days(hours, words):
    assert delay_words(pd.Timedelta(hours=hours)) == words


def test_status_has_a_line_a_series_within_the_screen(sample_market):
    inventory = take_inventory(sample_market)
    lines = render_status(sample_market, inventory).splitlines()
    assert "SIMULATED" in lines[0]
    assert len(lines) == 4 + len(inventory)
    assert max(map(len, lines[3:])) <= 100
