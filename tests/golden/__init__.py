"""Reports of fixed data, compared letter by letter. `frames` builds the data."""
