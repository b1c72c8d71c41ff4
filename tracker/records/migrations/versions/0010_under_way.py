"""What is under way, by technician"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

UNDER_WAY = sa.text("state IN ('traveling', 'in_progress')")


def upgrade() -> None:
    name = "ix_appointments_under_way"
    op.create_index(name, "appointments", ["technician_id"], sqlite_where=UNDER_WAY, postgresql_where=UNDER_WAY)


def downgrade() -> None:
    op.drop_index("ix_appointments_under_way", table_name="appointments")
