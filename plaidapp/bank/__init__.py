"""Plaid, spoken here and nowhere else: requests, bytes decoded into structs, one error type."""
