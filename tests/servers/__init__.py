"""Stand-ins for the servers of the catalogue, and what they are told to be."""
