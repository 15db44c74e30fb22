"""vLLM on CPU."""
