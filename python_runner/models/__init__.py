"""Stage 2: the same weights for every engine, in the format each one reads."""

from python_runner.models.model import Model

__all__ = ["Model"]
