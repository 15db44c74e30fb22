"""Where the time of a request goes: stages that add up, from each engine's own figures."""
