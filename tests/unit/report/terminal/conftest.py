from tests.unit.live_builders import clock

__all__ = ["clock"]
