"""The explorer: its filter, list, edits and exports, and transactions.json. May import `base`."""
