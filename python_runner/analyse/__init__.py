"""Stage 6: frames in, frames out. Reads nothing and prints nothing.

`latency` gives the figures of each request, `summary` one row for each stack, `overview`
one row for each run, `fast` the stacks that a zoomed picture shows, `trace` one row for
each token, and `tidy` tables that stand on their own, for export.
"""
