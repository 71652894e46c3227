"""What may be wrong with this site, one function for each check, and how to fix it.

The command `flask doctor` and the page /ops/doctor show the same. No sentence has a secret in it.
"""
