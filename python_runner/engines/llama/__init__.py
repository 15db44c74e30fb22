"""llama.cpp: our binding to it, its own server, llamafile, and the package llama-cpp-python."""
