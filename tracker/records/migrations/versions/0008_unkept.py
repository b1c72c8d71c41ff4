"""Unkept"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

WAITING = sa.text("state = 'scheduled' AND (unkept IS NOT NULL OR flag IS NOT NULL OR technician_id IS NULL)")


def upgrade() -> None:
    op.add_column("appointments", sa.Column("unkept", sa.String(16)))
    op.create_index("ix_appointments_waiting", "appointments", ["arrival_at"], sqlite_where=WAITING, postgresql_where=WAITING)


def downgrade() -> None:
    op.drop_index("ix_appointments_waiting", table_name="appointments")
    op.drop_column("appointments", "unkept")
