"""PostgreSQL's index of the pairs of characters, which now takes less time to fill.

It has the same terms: an array of them is made faster than a tsvector is read from text.

Revision ID: 0015
Revises: 0014

"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# The pairs as they are, with no dictionary. store/transactions/search.py has the same expression.
SEARCH_INDEX = """
CREATE INDEX CONCURRENTLY ix_transaction_search ON "transaction"
USING gin (array_to_tsvector(string_to_array(ltrim(replace(
  translate(coalesce(pairs, '') || coalesce(note_pairs, ''), E'\\t\\n', ''),
  ' ', ' ' || CAST(user_id AS text) || 'u'
)), ' ')))
"""
# As in 0010_search_index.
FORMER_INDEX = """
CREATE INDEX CONCURRENTLY ix_transaction_pairs ON "transaction"
USING gin ((CAST(replace(
  coalesce(pairs, '') || coalesce(note_pairs, ''), ' ', ' ' || CAST(user_id AS text) || 'u'
) AS tsvector)))
"""


def upgrade():
    if is_postgresql():
        with op.get_context().autocommit_block():
            # If an earlier try was interrupted, it has left an index that nothing can use.
            op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_transaction_search")
            op.execute(SEARCH_INDEX)
            op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_transaction_pairs")


def downgrade():
    if is_postgresql():
        with op.get_context().autocommit_block():
            op.execute(FORMER_INDEX)
            op.execute("DROP INDEX CONCURRENTLY ix_transaction_search")


def is_postgresql():
    return op.get_bind().dialect.name == "postgresql"
