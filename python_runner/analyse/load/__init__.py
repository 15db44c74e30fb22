"""Loads: many requests at once.

`request` gives the figures of each request, `window` the part of a level in which its load
was steady, `percentiles` a percentile with its interval, `goodput` and `throughput` rates,
`levels` one row for each level of each stack, `errors` one row for each kind of error, `tidy`
tables for export. The formulas stand in the docstrings.
"""
