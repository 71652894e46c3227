"""What every table needs: column types, currency, sums, upserts, writes, dates, search.

Imports none of the other subjects, and all of them may import it.
"""
