"""Engines that are libraries: each in a worker process of its own."""
