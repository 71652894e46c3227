"""The indexes from which sums of many months and the balances that banks reported are read.

Revision ID: 0044
Revises: 0043
"""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

SUMMED = (
    *("account_id", "category", "currency", "month", "count", "hidden"),
    *("money_in", "money_in_high", "money_out", "money_out_high"),
)
BY_BANK = sa.text("source = 'bank'")


def upgrade():
    with op.get_context().autocommit_block():
        op.create_index(
            op.f("ix_monthly_total_category"),
            "monthly_total",
            SUMMED,
            postgresql_concurrently=True,
        )
        op.create_index(
            op.f("ix_balance_bank"),
            "balance",
            ["account_id", "date"],
            postgresql_where=BY_BANK,
            sqlite_where=BY_BANK,
            postgresql_concurrently=True,
        )


def downgrade():
    with op.get_context().autocommit_block():
        op.drop_index(op.f("ix_balance_bank"), "balance", postgresql_concurrently=True)
        op.drop_index(
            op.f("ix_monthly_total_category"), "monthly_total", postgresql_concurrently=True
        )
