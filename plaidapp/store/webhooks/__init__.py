"""Webhooks as they were delivered, and the keys that Plaid signs them with.

May import `base`.
"""
