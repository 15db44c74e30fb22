"""How native parts are compiled with one compiler and one set of flags, and where they are kept."""
