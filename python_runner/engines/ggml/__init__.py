"""What engines on ggml have in common: facts, knobs, files of weights."""
