"""Runs that were interrupted go on."""
