"""How good forecasts were, out of sample: scores, tests, calibration."""
