"""Items (the app's connections to banks), accounts, reported balances, and reconnecting.

May import `base` and `people`.
"""
