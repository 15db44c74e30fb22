"""A decision for a team, as a document, and as a page whose weights can be moved."""
