"""Devices from which people have logged in, and which device a log-in session is on.

Devices of before are unknown until the next log-in from there.

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "known_device",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("device", sa.String(16), nullable=False),
        sa.Column("logged_in_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
            name=op.f("fk_known_device_user_id_user"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", "device", name=op.f("pk_known_device")),
    )
    op.create_index(op.f("ix_known_device_logged_in_at"), "known_device", ["logged_in_at"])
    op.add_column("login_session", sa.Column("device", sa.String(16)))


def downgrade():
    op.drop_column("login_session", "device")
    op.drop_table("known_device")
