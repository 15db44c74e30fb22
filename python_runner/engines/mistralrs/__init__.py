"""mistral.rs: our binding to it, its own server, and its wheel."""
