"""Detailed categories: a person's choice of one, and totals by them.

The totals that are stored already are split by store/transactions/detailed_backfill.py.

Revision ID: 0036
Revises: 0035
"""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
CHOSEN = ("transaction", "edit_row", "former_row")


def upgrade():
    op.create_table(
        "detailed_total",
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("category", "detailed", "currency")
        ),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("money_in", "money_out")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("count", "hidden")),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("money_in_high", "money_out_high")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_detailed_total_account_id_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            *("account_id", "month", "category", "detailed", "currency"),
            name=op.f("pk_detailed_total"),
        ),
    )
    # Not in batches: SQLite would copy and drop the tables, and all that refers to them.
    for table in CHOSEN:
        op.add_column(table, sa.Column("own_detailed", sa.Text(), nullable=True))
    op.add_column("monthly_total", sa.Column("detailed_rows", sa.Integer(), nullable=True))


def downgrade():
    op.drop_column("monthly_total", "detailed_rows")
    for table in CHOSEN:
        op.drop_column(table, "own_detailed")
    op.drop_table("detailed_total")
