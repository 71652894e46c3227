"""Logos: fetches them and makes them small. Imports no neighbor."""
