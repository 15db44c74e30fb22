"""How each engine's own native parts are compiled."""
