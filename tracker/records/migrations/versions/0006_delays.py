"""Delays"""

import sqlalchemy as sa
from alembic import op

from tracker.records.schema import Instant

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "delays",
        sa.Column("appointment_id", sa.String(length=32), nullable=False),
        sa.Column("technician_id", sa.String(length=32), nullable=False),
        sa.Column("promised", Instant(timezone=True), nullable=False),
        sa.Column("low", Instant(timezone=True), nullable=False),
        sa.Column("at", Instant(timezone=True), nullable=False),
        sa.Column("high", Instant(timezone=True), nullable=False),
        sa.Column("told_at", Instant(timezone=True), nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.Column("over_at", Instant(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["appointment_id"], ["appointments.id"], name=op.f("fk_delays_appointment_id")),
        sa.PrimaryKeyConstraint("appointment_id", name=op.f("pk_delays")),
    )


def downgrade() -> None:
    op.drop_table("delays")
