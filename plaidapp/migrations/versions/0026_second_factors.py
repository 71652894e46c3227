"""Second factors: authenticator apps, passkeys, recovery codes, and tokens that have counted.

Revision ID: 0026
Revises: 0025
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def _user_id(*, unique=False):
    person = sa.ForeignKey("user.id", ondelete="CASCADE")
    return sa.Column("user_id", sa.Integer(), person, nullable=False, unique=unique)


def _moment(name, *, nullable=False):
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade():
    op.create_table(
        "authenticator",
        sa.Column("id", sa.Integer(), primary_key=True),
        _user_id(unique=True),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        _moment("created_at"),
    )
    op.create_table(
        "passkey",
        sa.Column("id", sa.Integer(), primary_key=True),
        _user_id(),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False, unique=True),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("host", sa.String(254), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("can_be_copied", sa.Boolean(), nullable=False),
        _moment("created_at"),
        _moment("last_used_at", nullable=True),
    )
    op.create_index("ix_passkey_user_id", "passkey", ["user_id"])
    op.create_table(
        "recovery_code",
        sa.Column("id", sa.Integer(), primary_key=True),
        _user_id(),
        sa.Column("code_hash", sa.String(64), nullable=False),
        _moment("created_at"),
    )
    op.create_index("ix_recovery_code_user_id", "recovery_code", ["user_id"])
    op.create_table(
        "spent_token",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        _user_id(),
        _moment("ends_at"),
    )
    op.create_index("ix_spent_token_user_id", "spent_token", ["user_id"])
    op.create_index("ix_spent_token_ends_at", "spent_token", ["ends_at"])


def downgrade():
    for name in ("spent_token", "recovery_code", "passkey", "authenticator"):
        op.drop_table(name)
