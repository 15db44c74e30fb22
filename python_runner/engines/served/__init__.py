"""Engines that are servers: their processes, and the streams they answer with."""
