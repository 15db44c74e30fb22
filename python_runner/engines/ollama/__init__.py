"""Ollama, and our Go driver on its packages."""
