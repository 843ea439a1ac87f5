"""The report of a run: sections, tables, plots."""
