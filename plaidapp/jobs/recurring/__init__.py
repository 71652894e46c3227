"""Reading recurring payments.

May import `jobs.pulls`.
"""
