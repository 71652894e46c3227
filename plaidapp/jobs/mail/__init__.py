"""Sending mails. It imports no other subject."""
