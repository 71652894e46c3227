"""The second factor: authenticator apps, recovery codes, and the step of a log-in that asks for it.

Passkeys are in the package next to this one.
"""
