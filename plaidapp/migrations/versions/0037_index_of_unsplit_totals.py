"""The index by which the clock finds monthly totals that have yet to be split.

Revision ID: 0037
Revises: 0036
"""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

UNSPLIT = sa.text("detailed_rows IS NULL OR detailed_rows <> count + hidden")


def upgrade():
    with op.get_context().autocommit_block():
        op.create_index(
            op.f("ix_monthly_total_unsplit"),
            "monthly_total",
            ["account_id", "month"],
            postgresql_where=UNSPLIT,
            sqlite_where=UNSPLIT,
            postgresql_concurrently=True,
        )


def downgrade():
    with op.get_context().autocommit_block():
        op.drop_index(
            op.f("ix_monthly_total_unsplit"), "monthly_total", postgresql_concurrently=True
        )
