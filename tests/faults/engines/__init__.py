"""Engines and servers."""
