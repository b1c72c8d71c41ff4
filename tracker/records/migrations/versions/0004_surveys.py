"""Surveys"""

import sqlalchemy as sa
from alembic import op

from tracker.records.schema import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "surveys",
        sa.Column("appointment_id", sa.String(length=32), nullable=False),
        sa.Column("stars", sa.Integer(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=False),
        sa.Column("answered_at", Instant(timezone=True), nullable=False),
        sa.Column("changed_at", Instant(timezone=True), nullable=False),
        sa.Column("read_at", Instant(timezone=True), nullable=True),
        sa.Column("read_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["appointment_id"], ["appointments.id"], name=op.f("fk_surveys_appointment_id")),
        sa.PrimaryKeyConstraint("appointment_id", name=op.f("pk_surveys")),
    )
    op.create_index(op.f("ix_surveys_answered_at"), "surveys", ["answered_at"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("what people said cannot be forgotten: restore a copy of the database instead")
