"""The only package that talks to Plaid: requests, responses as structs, and one error type.

Imports nothing of ours but `policy` and `texts`.
"""
