"""Which columns may have texts of Plaid's that were stored before they were redacted.

The clock looks through them.

Revision ID: 0024
Revises: 0023
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

COLUMNS = (
    ("webhook", "body"),
    ("pull", "error_message"),
    ("pull_item", "error_message"),
    ("item", "error_message"),
    ("item", "failing_message"),
    ("state_change", "message"),
    ("link_session", "exit_message"),
)


def upgrade():
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    table = op.create_table(
        "old_text",
        sa.Column("id", big, nullable=False),
        sa.Column("of_table", sa.String(32), nullable=False),
        sa.Column("of_column", sa.String(32), nullable=False),
        sa.Column("clean_to", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_old_text")),
    )
    places = [{"of_table": name, "of_column": column, "clean_to": 0} for name, column in COLUMNS]
    op.bulk_insert(table, places)


def downgrade():
    op.drop_table("old_text")
