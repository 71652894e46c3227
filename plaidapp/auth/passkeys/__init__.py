"""Passkeys: adding them, logging in with them, and confirming that it's the person.

The browser asks the person, and signs a challenge of ours: https://www.w3.org/TR/webauthn-3/.
static/passkeys.js is between the two.
"""
