"""Webhooks as Plaid delivered them, and the keys that Plaid signs them with.

May import `base`.
"""
