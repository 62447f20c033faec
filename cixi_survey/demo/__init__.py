"""Simulated data that show the site in use; never mixed with real ones."""
