"""The report: self-contained, the card's own numbers, honest about what it is, readable by those who do not see it."""

import base64
import dataclasses
import itertools
import re
from html.parser import HTMLParser
from urllib.parse import unquote_to_bytes

import numpy as np
import pandas as pd
import pytest

from features.breakout import STATES
from models.answers import QUANTILES
from serving import words
from serving.card import build_card
from serving.screen import render_screen
from serving.sentences import interval_words
from training.artefact import make_scorer
from training.claims.events import event_study
from training.config import load_config
from training.evaluation.calibration import gain_by_year, loss_gain, pit_histogram, reliability, wilson
from training.evaluation.ladder import ladder_tests
from training.evaluation.skill import skill_table
from training.facts import gather_facts
from training.regimes import STATE_NAMES, UNIDENTIFIED
from training.reports.base_fans import AFTER, BEFORE, FAN_STEP, base_fan, event_path, path_fan
from training.reports.captions import CAPTIONS
from training.reports.inputs import FACE, HIGH, SOURCES, WIDE, silent_columns, sparkline
from training.reports.plots import SHADES, regime_spells
from training.reports.plots_fans import fan_figure
from training.reports.report import TEMPLATES, make_report
from training.reports.style import as_uri, to_bytes
from training.strategies import make_strategies
from training.study import make_table, run_study

FETCHES = re.compile(r"""(?:src|srcset|href|xlink:href|action|data|poster)\s*=\s*["']?\s*([^"'\s>]+)""", re.IGNORECASE)
MEGABYTES = 1e6
VOID = {"meta", "br", "img", "link", "input", "hr"}


def nothing(_word, _done, _all):
    return None


@pytest.fixture(scope="module")
def run(sample_market, project_root):
    few = {"assets": ["BTC", "ALT"], "horizons": [5, 21], "regime.n_init": 1, "regime.bootstrap": 3, "walk.min_history": 504}
    config = load_config(project_root / "conf" / "train.yaml", **few, **{"forecast.min_rows": 252})
    study = run_study(make_table(sample_market, config, nothing), config, nothing)
    facts = gather_facts(sample_market, study, config)
    card = build_card(facts, make_scorer(study, config).published, "run abcd1234")
    events = event_study(sample_market, config.assets, config.horizons)
    info = {"run_id": "abcd1234", "config": config.resolved(), "tracking_uri": "sqlite:///mlflow.db", "seed": 0, "fingerprint": "f" * 64}
    earned = make_strategies(study.forecasts.losses, study.skill, study.prices, 3)
    record = {"card": card, "facts": facts, "study": study, "market": sample_market, "events": events, "strategies": earned}
    return record | {"run_info": info}


@pytest.fixture(scope="module")
def report(run):
    return make_report(**run)


@pytest.fixture(scope="module")
def html(report):
    return report.html


@pytest.fixture
def undrawn(monkeypatch):
    """Leave pictures empty where words alone are looked at: drawing them takes seconds."""
    monkeypatch.setattr("training.reports.plot.to_bytes", lambda figure: b"<svg/>")


class Page(HTMLParser):
    """What a page holds, as a reader without sight would be told."""

    def __init__(self, text):
        super().__init__()
        self.open, self.headings, self.images, self.tables, self.rows, self.ids, self.anchors = [], [], [], [], [], [], []
        self.title = self.banner = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag not in VOID:
            self.open.append((tag, attrs))
        if "id" in attrs:
            self.ids.append(attrs["id"])
        if tag == "a":
            self.anchors.append(attrs["href"])
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "img":
            self.images.append(attrs)
        if tag == "table":
            self.tables.append({"caption": "", "scopes": []})
        if tag == "th":
            self.tables[-1]["scopes"].append(attrs.get("scope"))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag, attrs):
        """A tag that closes itself, as in pictures."""

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1][0] == tag, f"</{tag}> closes <{self.open[-1][0]}>"
        self.open.pop()

    def handle_data(self, data):
        inside = [tag for tag, _ in self.open]
        if inside and inside[-1] == "title":
            self.title += data
        if any(attrs.get("class") == "banner" for _, attrs in self.open):
            self.banner += data
        if "caption" in inside:
            self.tables[-1]["caption"] += data
        if inside and inside[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def pictures(html):
    return [base64.b64decode(code).decode("utf-8") for code in re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', html)]


def test_report_asks_for_nothing_outside_itself(html):
    for text in (html, *pictures(html)):
        assert [target for target in FETCHES.findall(text) if not target.startswith(("#", "data:image/"))] == []
        assert re.findall(r"<script|<link|<iframe|<object|<embed|@import|<base", text, re.IGNORECASE) == []
        assert [target for target in re.findall(r"url\(\s*([^)]*)\)", text) if not target.startswith("#")] == []


def test_report_is_small(html):
    assert len(html.encode()) < 3 * MEGABYTES


def test_report_tells_the_numbers_of_the_screen(html, run):
    shown = {tuple(row[:7]) for row in Page(html).rows}
    rows = [
        (each["asset"], f"{each['horizon']}{'*' if each['descriptive'] else ''}", *_forecast_words(each))
        for each in run["card"]["forecast"]
    ]
    assert set(rows) <= shown
    text = " ".join(render_screen(run["card"]).split())
    for row in rows:
        assert all(word in text for word in row[2:6])


def _forecast_words(each):
    interval = interval_words(each)
    n = f"{each['n']} ({each['n_independent']})"
    return words.percent(each["log_median"]), interval, words.prob(each["p_up"]), words.prob(each["base_up"]), n


def test_report_tells_the_regime_of_the_screen(html, run):
    regime = run["card"]["regime"]
    told = f"P(risk-on) {words.prob(regime['probability'])}, 80% range {words.prob(regime['low'])} - {words.prob(regime['high'])}"
    assert told in " ".join(render_screen(run["card"]).split())
    assert told.replace(">", "&gt;").replace("<", "&lt;") in html


@pytest.mark.parametrize(("value", "written"), [(-0.00001, "0.0%"), (0.00001, "0.0%"), (-0.004, "-0.4%"), (0.061, "+6.1%")])
def test_words_for_skill_give_zero_no_sign(value, written):
    assert words.signed(value) == written


def test_simulated_market_is_called_so_everywhere(html):
    page = Page(html)
    assert page.title.startswith("SIMULATED")
    assert "SIMULATED" in page.banner
    drawn = pictures(html)
    assert len(drawn) == len(CAPTIONS)
    assert all("<!-- SIMULATED -->" in picture for picture in drawn)
    assert html.count("<figcaption><strong>SIMULATED.</strong>") == len(drawn)


def test_market_of_files_is_not_called_simulated(run, undrawn):
    market = dataclasses.replace(run["market"], simulated=False, note="files")
    named = {"name": "files", "simulated": False, "note": "files"}
    card = run["card"] | {"market": named}
    text = make_report(**(run | {"market": market, "card": card})).html
    assert all("SIMULATED" not in part for part in (text, *pictures(text)))


def test_hostile_names_stay_text(run, undrawn):
    hostile = "<script>alert(1)</script><img src=http://x.example/y onerror='a()'>\"&"
    market = dataclasses.replace(run["market"], name=hostile, note=hostile)
    card = run["card"] | {"market": {"name": hostile, "simulated": True, "note": hostile}, "model": hostile}
    info = run["run_info"] | {"commit": hostile, "config": run["run_info"]["config"] | {"note": hostile}}
    text = make_report(**(run | {"market": market, "card": card, "run_info": info})).html
    assert "<script" not in text
    assert "<img src=http" not in text
    assert len(Page(text).images) == len(CAPTIONS)
    assert Page(text).title.count(hostile) == 1


def test_headings_descend_one_step_at_a_time(html):
    levels = Page(html).headings
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_pictures_and_tables_speak_to_those_who_cannot_see(html):
    page = Page(html)
    assert page.open == []
    assert all(image["alt"].strip() for image in page.images)
    assert all(table["caption"].strip() for table in page.tables)
    assert all(set(table["scopes"]) <= {"col", "row"} and "col" in table["scopes"] for table in page.tables)
    assert all(anchor.removeprefix("#") in page.ids for anchor in page.anchors)
    assert len(page.ids) == len(set(page.ids))
    for section in (
        "card",
        "regimes",
        "forecasts",
        "calibration",
        "skill",
        "features",
        "breakouts",
        "records",
        "references",
        "made",
        "limits",
    ):
        assert section in page.ids


def test_every_plot_has_a_caption_and_a_table(html):
    for alt, caption in CAPTIONS.values():
        block = html[html.index(f'alt="{alt}"') :].split("<figure>")[0]
        assert caption.split(".")[0][:60].replace("'", "&#39;") in block
        assert block.count("<table>") >= 1


@pytest.mark.parametrize("scheme", [0, 1])
def test_colours_of_the_page_have_contrast(scheme):
    css = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    colours = dict(re.findall(r"--([a-z-]+):(#[0-9a-f]{3,6})", re.findall(r":root\{([^}]*)\}", css)[scheme]))
    for ink in ("ink", "soft", "link"):
        assert min(contrast(colours[ink], colours["bg"]), contrast(colours[ink], colours["card"])) >= 4.5
    assert contrast(colours["warn"], colours["warn-bg"]) >= 4.5


def contrast(one, other):
    """Contrast ratio of two colours (WCAG 2.2)."""

    def luminance(colour):
        digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
        parts = np.array(list(unquote_to_bytes("%" + "%".join(digits[k : k + 2] for k in (0, 2, 4))))) / 255
        return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_report_shows_coverage_tests_and_what_was_earned(html, run):
    skill, earned = run["study"].skill, run["strategies"].summary
    rows = {tuple(row) for row in Page(html).rows}
    for each in skill[skill["rung"] == "served"].to_dict("records"):
        pit = (words.p_value(each["ks_p"]), words.p_value(each["berkowitz_p"]))
        assert (each["asset"], str(each["horizon"]), *pit, f"{each['n']} ({each['n_independent']})") in rows
    shown = [row for row in rows if "calibrated" in row and "[" in row[4]]
    assert len(shown) == 2 * len(skill[skill["rung"] == "served"])  # at 80% and at 90%
    for each in earned.to_dict("records"):
        told = f"{each['sharpe']:.2f} ± {each['error']:.2f}"
        assert any(row[0] == each["asset"] and told in row and words.prob(each["deflated"]) in row for row in rows)
    assert f"from {run['facts']['lockbox']['since']} on, are locked away" in html
    assert "base rates, history, events and claims use all sessions" in html
    assert "N = 3 trials of the family" in html


def test_report_says_of_every_cell_whether_the_luckiest_rung_is_better(html, run):
    study = run["study"]
    told = [
        f"{asset} over {horizon} sessions: p {words.p_value(test.p)} that none of"
        for asset, horizon, _, test in ladder_tests(study.forecasts.losses, study.skill)
        if not test.refused
    ]
    refused = html.count("not tested: fewer than 30 rows")
    assert len(told) + refused == 4
    assert told
    assert all(each in html for each in told)


def test_report_says_that_nothing_is_locked_away_where_nothing_is(run, undrawn):
    facts = run["facts"] | {"lockbox": None}
    assert "No rows are locked away" in make_report(**(run | {"facts": facts})).html


def test_report_without_judged_rows_says_so(run, undrawn):
    study = run["study"]
    losses = study.forecasts.losses.assign(outer=False)
    young = dataclasses.replace(study, forecasts=dataclasses.replace(study.forecasts, losses=losses), skill=skill_table(losses))
    nothing_earned = make_strategies(losses, young.skill, study.prices, 1)
    text = make_report(**(run | {"study": young, "strategies": nothing_earned})).html
    assert "so nothing was traded" in text
    assert "no out-of-sample rows with a known outcome yet" in text
    assert "Nothing could be judged yet" in text
    assert len(pictures(text)) == len(CAPTIONS) - 3


def test_report_without_events_or_run_info_is_whole(run, undrawn):
    text = make_report(**(run | {"events": run["events"].iloc[:0], "run_info": {}})).html
    assert "No event on record." in text
    assert "not recorded" in text
    assert Page(text).open == []


def test_report_of_the_same_run_is_the_same(html, run):
    assert make_report(**run).html == html


def test_plot_files_are_three_pictures_of_the_report(report, tmp_path):
    files = report.write_plots(tmp_path)
    assert [file.name for file in files] == ["regimes.svg", "forecast_fans.svg", "loss_over_time.svg"]
    assert all(file.read_bytes().startswith(b"<?xml") and as_uri(file.read_bytes()) in report.html for file in files)


def test_fan_figure_says_simulated_only_if_asked(run):
    base = base_fan(run["study"].prices, ["BTC", "ALT"], [5, 21])
    for simulated in (True, False):
        assert (b"SIMULATED" in to_bytes(fan_figure(run["card"]["forecast"], base, simulated))) is simulated


def test_base_fan_is_made_of_moves_that_are_over(run):
    prices = run["study"].prices
    fan = base_fan(prices, ["BTC"], [21]).iloc[0]
    log_price = np.log(prices["BTC"].to_numpy())
    moves = [log_price[t + 21] - log_price[t] for t in range(len(log_price) - 21) if not np.isnan(log_price[t])]
    assert fan["n"] == len(moves)
    for name, level in QUANTILES.items():
        assert fan[name] == pytest.approx(np.quantile(moves, level), rel=1e-12)


def test_path_fan_agrees_with_a_plain_loop():
    price = pd.Series(np.exp(np.cumsum(np.random.default_rng(1).normal(0.001, 0.03, 420))))
    price.iloc[:50] = np.nan
    fan = path_fan(price)
    log_price = np.log(price.to_numpy())
    for tau in (BEFORE, -FAN_STEP, 0, FAN_STEP, AFTER):
        moves = [log_price[t + tau] - log_price[t] for t in range(420) if 0 <= t + tau < 420]
        np.testing.assert_allclose(fan.loc[tau], np.nanquantile(moves, list(QUANTILES.values())), atol=1e-12)


def test_event_path_is_zero_at_the_event_and_stops_where_prices_do():
    index = pd.bdate_range("2020-01-01", periods=500)
    price = pd.Series(np.arange(1.0, 501.0), index=index)
    price.iloc[:100] = np.nan
    taus, moves = event_path(price, index[150])
    assert (taus[0], taus[-1]) == (-50, AFTER)
    assert moves[taus == 0] == 0.0
    assert moves[-1] == pytest.approx(np.log(403 / 151))
    assert event_path(price, index[490])[0][-1] == 9
    assert len(event_path(price, index[50])[0]) == 0


def test_loss_gain_ends_at_the_crps_skill(run):
    gain = loss_gain(run["study"].forecasts.losses, run["study"].skill)
    skill = run["study"].skill
    served = skill[skill["rung"] == "served"].set_index(["asset", "horizon"])["crps_skill"]
    assert len(served) == 4
    ends = gain.groupby(["asset", "horizon"])["gain"].last()
    pd.testing.assert_series_equal(ends.sort_index(), served.sort_index(), check_names=False, rtol=1e-9)
    years = gain_by_year(gain)
    np.testing.assert_allclose(years.sum().to_numpy(), [ends[c.split()[0], int(c.split()[1])] for c in years], rtol=1e-9)


def test_reliability_and_pit_count_every_judged_row_once(run):
    losses = run["study"].forecasts.losses
    judged = losses[(losses["rung"] == "served") & losses["outer"] & losses["crps"].notna()]
    bins, pit = reliability(losses), pit_histogram(losses)
    assert bins["n"].sum() == pit["n"].sum() == len(judged) > 500
    assert np.average(bins["observed"], weights=bins["n"]) == pytest.approx((judged["y"] > 0).mean())
    np.testing.assert_allclose(pit.filter(like="density_").mean(axis="columns"), 1.0)


@pytest.mark.parametrize(
    ("hits", "n", "interval"), [(0, 10, (0.0, 0.2775)), (5, 10, (0.2366, 0.7634)), (10, 10, (0.7225, 1.0)), (81, 263, (0.2553, 0.3662))]
)
def test_wilson_interval_has_its_published_values(hits, n, interval):
    # 81 of 263: Newcombe (1998), Table I, method 3; the others by the formula
    assert wilson(hits / n, n) == pytest.approx(interval, abs=5e-5)


def test_regime_spells_cover_each_named_session_once(run):
    published = run["study"].regimes.published
    spells = regime_spells(published)
    assert spells["sessions"].sum() == published["regime"].notna().sum()
    assert (spells["regime"].to_numpy()[1:] != spells["regime"].to_numpy()[:-1]).all()
    for spell in spells.itertuples():
        assert set(published.loc[spell.start : spell.end, "regime"]) == {spell.regime}


def test_every_regime_has_a_shade():
    assert set(SHADES) == {name for names in STATE_NAMES.values() for name in names} | {UNIDENTIFIED}


def test_every_family_has_sources_and_a_face(run):
    families = {str(column).split("__")[0] for column in run["study"].features}
    assert set(FACE) == set(SOURCES) == families
    assert {column for column, _ in FACE.values()} <= set(run["study"].features)


def test_sparkline_breaks_at_gaps_and_stays_inside():
    lines = sparkline(np.array([1.0, 2.0, np.nan, np.nan, 5.0, 4.0, 3.0]))
    points = [[tuple(map(float, point.split(","))) for point in line.split()] for line in lines]
    assert [len(line) for line in points] == [2, 3]
    assert all(0 <= x <= WIDE and 0 <= y <= HIGH for line in points for x, y in line)
    assert points[1][0][1] == min(y for line in points for _, y in line)
    assert sparkline(np.full(5, np.nan)) == []
    assert len(sparkline(np.full(5, 2.0))) == 1


def test_silent_columns_are_told_apart():
    state = {f"momentum__breakout_{name}": [1.0, 0.0] if name == "none" else [0.0, 0.0] for name in STATES}
    values = pd.DataFrame(state | {"liquidity__vix": [7.0, 7.0], "liquidity__hy_oas": [np.nan, np.nan]})
    silent = silent_columns(values)
    assert silent["never_fired"] == [f"momentum__breakout_{name}" for name in STATES if name != "none"]
    assert silent["empty"] == ["liquidity__hy_oas"]
    assert silent["faults"] == ["liquidity__vix"]
