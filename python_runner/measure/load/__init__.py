"""Many requests at once: load shapes, what is kept of each request, and the client's own error."""
