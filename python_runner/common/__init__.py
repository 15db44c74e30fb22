"""What every stage may use: errors, the clock, places on disk, progress. Imports no stage."""
