"""Reference classifiers: what four rules of thumb would have said, scored as the regime model is (METHODS 2.1)."""

import numpy as np
import pandas as pd

from training.evaluation.overlap import mean_of

HORIZON, DRAWDOWN = 21, 0.05
"""The label: small caps rise over this many sessions without falling this far on the way."""

MIN_KNOWN = 252
"""Known labels before a hit rate is scored."""

NEAR_HIGH, CALM_VIX, LIKELY = 0.95, 20.0, 0.5
CONSTANT, MODEL, MODEL_RAW = "constant", "model: risk-on more likely than not", "model: P(risk-on) as it is"
COLUMNS = ("classifier", "brier", "gain", "gain_se", "share_on", "rate_on", "rate_off", "n", "n_independent")


def reference_signals(features: pd.DataFrame, p_risk_on: pd.Series) -> pd.DataFrame:
    """Say 1 or 0 for each classifier and session; missing where it cannot speak.

    Parameters
    ----------
    features : feature matrix
    p_risk_on : published probability on the same sessions

    Returns
    -------
    DataFrame, one column a classifier
    """
    hi52, vix = features["momentum__hi52"], features["liquidity__vix"]
    return pd.DataFrame(
        {
            MODEL: (p_risk_on > LIKELY).astype(np.float64).where(p_risk_on.notna()),
            "small caps above their 200-day average": features["momentum__above_sma200"],
            "within 5% of the 52-week high": (hi52 > NEAR_HIGH).astype(np.float64).where(hi52.notna()),
            "VIX below 20": (vix < CALM_VIX).astype(np.float64).where(vix.notna()),
            CONSTANT: pd.Series(0.0, index=features.index),
        }
    )


def hit_rates(signal: pd.Series, label: pd.Series, horizon: int) -> tuple[pd.Series, pd.Series]:
    """Turn a signal into a probability: how often the label came true after the same signal, as far as that was known.

    The label of session s is known at session s + `horizon`. The rate is (hits + 1) / (n + 2), so it exists from the first day.

    Parameters
    ----------
    signal : 1, 0 or missing
    label : 1, 0 or missing, on the same sessions
    horizon : sessions the label looks ahead

    Returns
    -------
    probability : missing where the signal is
    known : labels known by then after any signal
    """
    said = signal.notna() & label.notna()
    prob = pd.Series(np.nan, index=signal.index)
    for value in (0.0, 1.0):
        same = said & (signal == value)
        n = same.astype(np.float64).cumsum().shift(horizon, fill_value=0.0)
        hits = (label.where(same, 0.0)).cumsum().shift(horizon, fill_value=0.0)
        prob = prob.where(signal != value, (hits + 1.0) / (n + 2.0))
    return prob, said.astype(np.int64).cumsum().shift(horizon, fill_value=0)


def reference_probabilities(features: pd.DataFrame, p_risk_on: pd.Series, label: pd.Series, horizon: int = HORIZON) -> pd.DataFrame:
    """Probability of the label by each classifier, learnt on the sessions on which the model had spoken.

    Returns
    -------
    DataFrame on the sessions of `features`; missing where a classifier cannot speak or knows fewer than `MIN_KNOWN` labels.
    A classifier that never speaks has a column without values.
    """
    signals = reference_signals(features, p_risk_on).where(p_risk_on.notna())
    out = {}
    for name in signals:
        prob, known = hit_rates(signals[name], label, horizon)
        out[str(name)] = prob.where(known >= MIN_KNOWN)
    return pd.DataFrame(out).assign(**{MODEL_RAW: p_risk_on})


def reference_table(features: pd.DataFrame, p_risk_on: pd.Series, label: pd.Series, horizon: int = HORIZON) -> pd.DataFrame:
    """Brier score of each classifier on the sessions on which all of them speak.

    Parameters
    ----------
    features : feature matrix
    p_risk_on : published probability on the same sessions
    label : `training.targets.calm_rise` on the same sessions
    horizon : sessions the label looks ahead

    Returns
    -------
    DataFrame with `COLUMNS`: gain is the constant's Brier score minus this one, gain_se its standard error
    (`training.evaluation.overlap.mean_of`), rate_on and rate_off how often the label
    came true. Empty where there is no common session. A classifier that never speaks is not in it.
    """
    probs = reference_probabilities(features, p_risk_on, label, horizon).dropna(axis="columns", how="all")
    rows = probs.notna().all(axis="columns") & label.notna()
    if CONSTANT not in probs or not rows.any():
        return pd.DataFrame(columns=list(COLUMNS))
    signals, truth = reference_signals(features, p_risk_on)[rows], label[rows]
    loss = (probs[rows].sub(truth, axis="index")) ** 2
    out = []
    for name in probs:
        gain = (loss[CONSTANT] - loss[name]).to_numpy()
        on = signals[name] == 1.0 if name in signals and name != CONSTANT else None
        out.append(
            {
                "classifier": name,
                "brier": float(loss[name].mean()),
                "gain": float(gain.mean()),
                "gain_se": mean_of(gain, horizon).error,
                "share_on": float("nan") if on is None else float(on.mean()),
                "rate_on": float("nan") if on is None else float(truth[on].mean()),
                "rate_off": float("nan") if on is None else float(truth[~on].mean()),
                "n": int(rows.sum()),
                "n_independent": int(rows.sum()) // horizon,
            }
        )
    return pd.DataFrame(out)[list(COLUMNS)]


def label_gain(features: pd.DataFrame, p_risk_on: pd.Series, label: pd.Series, horizon: int = HORIZON) -> float:
    """Share of the base rate's Brier score that the model's own probability saves; NaN where nothing can be compared.

    Parameters
    ----------
    features, p_risk_on, label, horizon : as of `reference_table`
    """
    rows = {row["classifier"]: row for row in reference_table(features, p_risk_on, label, horizon).to_dict("records")}
    return float(rows[MODEL_RAW]["gain"] / rows[CONSTANT]["brier"]) if MODEL_RAW in rows else float("nan")
