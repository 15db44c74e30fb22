"""Going on."""
