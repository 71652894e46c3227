"""The dashboard, put together from the other subjects, and the buttons that begin a pull.

The buttons are here because a refused one shows the dashboard again. No other package imports this.
"""
