"""Logos of merchants and banks, which all people share.

Revision ID: 0040
Revises: 0039
"""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade():
    def picture():
        return (
            sa.Column("address", sa.String(32)),
            sa.Column("picture", sa.LargeBinary()),
            sa.Column("tries", sa.Integer(), nullable=False),
            sa.Column("look_at", sa.DateTime(timezone=True)),
        )

    op.create_table(
        "merchant_logo",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        *picture(),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_merchant_logo")),
        sa.UniqueConstraint("address", name=op.f("uq_merchant_logo_address")),
    )
    op.create_table(
        "bank_logo",
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("color", sa.String(7)),
        *picture(),
        sa.PrimaryKeyConstraint("institution_id", name=op.f("pk_bank_logo")),
        sa.UniqueConstraint("address", name=op.f("uq_bank_logo_address")),
    )
    for table in ("merchant_logo", "bank_logo"):
        op.create_index(op.f(f"ix_{table}_look_at"), table, ["look_at"])


def downgrade():
    op.drop_table("bank_logo")
    op.drop_table("merchant_logo")
