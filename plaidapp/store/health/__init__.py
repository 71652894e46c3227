"""How the whole deployment is doing, for its operator. Nothing here belongs to a person.

May import `base`, `connections`, `pulls` and `webhooks`.
"""
