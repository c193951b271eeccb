"""The desk: screens only."""
