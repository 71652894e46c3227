"""The page of all connections, the page of one, the forms that connect a bank, and accounts.json.

May import `base` and `pulls`.
"""
