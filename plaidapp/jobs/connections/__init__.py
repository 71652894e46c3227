"""Connecting a bank, reading its accounts and balances, and ending a connection.

May import `jobs.pulls`.
"""
