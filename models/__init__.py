"""Regimes and forward-return distributions: arrays in, frozen records out."""
