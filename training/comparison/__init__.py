"""Runs against each other, on the same dates and data."""
