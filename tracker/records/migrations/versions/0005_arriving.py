"""Arriving"""

import sqlalchemy as sa
from alembic import op

from tracker.records.schema import Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("legs", sa.Column("arriving_at", Instant(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("legs", "arriving_at")
