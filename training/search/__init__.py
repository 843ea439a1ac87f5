"""Hyper-parameters tried one after the other, each a trial of its own, and judged where none of them was chosen."""
