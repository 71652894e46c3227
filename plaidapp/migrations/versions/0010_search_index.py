"""PostgreSQL's index of the pairs of characters, and an index of the rows that lack them.

Revision ID: 0010
Revises: 0009

"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# The pairs as they are, with no dictionary. store/transactions/search.py has the same expression.
SEARCH_INDEX = """
CREATE INDEX CONCURRENTLY ix_transaction_pairs ON "transaction"
USING gin ((CAST(replace(
  coalesce(pairs, '') || coalesce(note_pairs, ''), ' ', ' ' || CAST(user_id AS text) || 'u'
) AS tsvector)))
"""
FORMER_INDEX = """
CREATE INDEX CONCURRENTLY ix_transaction_words ON "transaction"
USING gin (array_to_tsvector(string_to_array(ltrim(words || note_words), ' ')))
"""
UNFILLED = sa.text("pairs IS NULL OR (note IS NOT NULL AND note_pairs IS NULL)")


def upgrade():
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_transaction_unfilled",
            "transaction",
            ["id"],
            postgresql_where=UNFILLED,
            sqlite_where=UNFILLED,
            postgresql_concurrently=True,
        )
        if is_postgresql():
            op.execute(SEARCH_INDEX)
            op.execute("DROP INDEX CONCURRENTLY ix_transaction_words")


def downgrade():
    with op.get_context().autocommit_block():
        if is_postgresql():
            op.execute(FORMER_INDEX)
            op.execute("DROP INDEX CONCURRENTLY ix_transaction_pairs")
        op.drop_index("ix_transaction_unfilled", "transaction", postgresql_concurrently=True)


def is_postgresql():
    return op.get_bind().dialect.name == "postgresql"
