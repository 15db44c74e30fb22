"""Servers that a user brings, known by a file each: how to find, start, ask and read them."""
