"""transformers by Hugging Face: in process, quantised, and served."""
