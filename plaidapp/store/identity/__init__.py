"""Logos of merchants and banks, which all people share. Imports `base` alone."""
