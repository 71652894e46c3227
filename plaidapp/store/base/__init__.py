"""What every table needs: column types, upserts, encryption, search terms, and dates.

Imports nothing of the other subjects; all of them may import it.
"""
