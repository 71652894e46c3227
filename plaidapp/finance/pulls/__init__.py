"""The panel that follows a pull, its poll, *Try again*, *Dismiss*, and the form of a range.

The buttons that begin a pull are in `dashboard`. May import `base`.
"""
