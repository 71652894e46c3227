"""How merchants and banks are drawn: their logo, or the first letters of their name in a disc.

Imports `base` alone.
"""
