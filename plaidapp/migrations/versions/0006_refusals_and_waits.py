"""What a bank refuses, how long it has been preparing or failing, and syncs that start over.

Revision ID: 0006
Revises: 0005

"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
OF_ITEM = {
    "preparing_since": MOMENT,
    "ask_after": MOMENT,
    "failing_since": MOMENT,
    "failing_message": sa.Text(),
    "sync_refusal": sa.Text(),
    "balances_refusal": sa.Text(),
    "balances_refused_at": MOMENT,
}


def upgrade() -> None:
    for name, kind in OF_ITEM.items():
        op.add_column("item", sa.Column(name, kind, nullable=True))
    op.add_column(
        "pull_item",
        sa.Column("started_over", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column("pull_item", sa.Column("refusal", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("pull_item", "refusal")
    op.drop_column("pull_item", "started_over")
    for name in reversed(OF_ITEM):
        op.drop_column("item", name)
