import copy
import dataclasses
import json

import pandas as pd
import pytest

from training.reproduction.inputs import gather_inputs, input_differences


@pytest.fixture(scope="module")
def inputs(sample_market):
    return gather_inputs(sample_market, None)


def test_inputs_survive_json_and_repeat(sample_market, inputs):
    assert json.loads(json.dumps(inputs)) == inputs
    assert gather_inputs(sample_market, None) == inputs
    assert input_differences(inputs, inputs) == []


def test_every_series_of_the_market_is_listed(sample_market, inputs):
    named = {f"prices {series}" for series in sample_market.prices["series"]} | {f"coins {asset}" for asset in sample_market.coins["asset"]}
    assert named <= set(inputs["data"])
    assert inputs["data"]["panel"]["columns"] == sample_market.panel.close.shape[1]


def test_a_changed_value_names_its_series_alone(sample_market, inputs):
    coins = sample_market.coins.copy()
    at = coins.index[coins["asset"] == "ETH"][-1]
    coins.loc[at, "close"] *= 1.0001
    other = gather_inputs(dataclasses.replace(sample_market, coins=coins), None)
    (line,) = input_differences(inputs, other)
    assert line.startswith("data, coins ETH: other values in its ")


def test_rows_that_came_are_counted(sample_market, inputs):
    until = sample_market.as_of(pd.Timestamp("2024-06-28", tz="UTC"))
    lines = input_differences(gather_inputs(until, None), inputs)
    now = inputs["data"]["coins BTC"]
    kept = int((until.coins["asset"] == "BTC").sum())
    assert f"data, coins BTC: {kept} rows to 2024-06-27 then, {now['rows']} rows to {now['last']} now" in lines


def test_another_name_alone_is_said(sample_market, inputs):
    (line,) = input_differences(inputs, gather_inputs(dataclasses.replace(sample_market, note="another"), None))
    assert "the records are the same" in line


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (("code", "models"), "code of models/: changed"),
        (("python",), "python: other then"),
        (("packages", "numpy"), "package numpy: other then"),
        (("packages", "left-pad"), "package left-pad: other then, absent now"),
    ],
)
def test_code_and_versions_are_said(inputs, path, words):
    then = copy.deepcopy(inputs)
    inner = then
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = "other"
    assert words in " | ".join(input_differences(then, inputs))
