"""Pictures of loads. One file for each kind, and one row for each in `table`.

`curves` has what pictures over users or rates share: stacks, their key, and both scales.
"""
