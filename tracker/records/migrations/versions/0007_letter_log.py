"""Letter log"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_outbox_newest", "outbox", ["created_at", "id"])
    op.create_index(op.f("ix_outbox_recipient"), "outbox", ["recipient"])


def downgrade() -> None:
    op.drop_index(op.f("ix_outbox_recipient"), table_name="outbox")
    op.drop_index("ix_outbox_newest", table_name="outbox")
