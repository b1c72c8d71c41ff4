"""Booking and identity"""

import sqlalchemy as sa
from alembic import op

from tracker.records.schema import Instant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.Column("expires_at", Instant(timezone=True), nullable=False),
        sa.Column("seen_at", Instant(timezone=True), nullable=True),
        sa.Column("revoked_at", Instant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_tokens_token_hash")),
    )
    op.create_table(
        "closed_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_closed_days")),
    )
    op.create_table(
        "skills",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_skills")),
        sa.UniqueConstraint("name", name=op.f("uq_skills_name")),
    )
    op.create_table(
        "territories",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("area", sa.JSON(), nullable=False),
        sa.Column("south", sa.Float(), nullable=False),
        sa.Column("west", sa.Float(), nullable=False),
        sa.Column("north", sa.Float(), nullable=False),
        sa.Column("east", sa.Float(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_territories")),
        sa.UniqueConstraint("name", name=op.f("uq_territories_name")),
    )
    op.create_table(
        "functional_locations",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("lat", sa.Float(), nullable=True),
        sa.Column("lon", sa.Float(), nullable=True),
        sa.Column("zone", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_functional_locations_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_functional_locations")),
    )
    op.create_index(op.f("ix_functional_locations_account_id"), "functional_locations", ["account_id"], unique=False)

    op.create_table(
        "service_type_accounts",
        sa.Column("service_type_id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_service_type_accounts_account_id")),
        sa.ForeignKeyConstraint(["service_type_id"], ["service_types.id"], name=op.f("fk_service_type_accounts_service_type_id")),
        sa.PrimaryKeyConstraint("service_type_id", "account_id", name=op.f("pk_service_type_accounts")),
    )
    op.create_index(op.f("ix_service_type_accounts_account_id"), "service_type_accounts", ["account_id"], unique=False)

    op.create_table(
        "service_type_skills",
        sa.Column("service_type_id", sa.String(length=32), nullable=False),
        sa.Column("skill_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["service_type_id"], ["service_types.id"], name=op.f("fk_service_type_skills_service_type_id")),
        sa.ForeignKeyConstraint(["skill_id"], ["skills.id"], name=op.f("fk_service_type_skills_skill_id")),
        sa.PrimaryKeyConstraint("service_type_id", "skill_id", name=op.f("pk_service_type_skills")),
    )
    op.create_table(
        "absences",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("technician_id", sa.String(length=32), nullable=False),
        sa.Column("starts_at", Instant(timezone=True), nullable=False),
        sa.Column("ends_at", Instant(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["technician_id"], ["technicians.id"], name=op.f("fk_absences_technician_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absences")),
    )
    op.create_index(op.f("ix_absences_technician_id"), "absences", ["technician_id"], unique=False)

    op.create_table(
        "account_technicians",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("technician_id", sa.String(length=32), nullable=False),
        sa.Column("rule", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_account_technicians_account_id")),
        sa.ForeignKeyConstraint(["technician_id"], ["technicians.id"], name=op.f("fk_account_technicians_technician_id")),
        sa.PrimaryKeyConstraint("account_id", "technician_id", name=op.f("pk_account_technicians")),
    )
    op.create_table(
        "assets",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("location_id", sa.String(length=32), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("serial", sa.String(length=64), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_assets_account_id")),
        sa.ForeignKeyConstraint(["location_id"], ["functional_locations.id"], name=op.f("fk_assets_location_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assets")),
    )
    op.create_index(op.f("ix_assets_account_id"), "assets", ["account_id"], unique=False)

    op.create_table(
        "holds",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("session_id", sa.String(length=32), nullable=False),
        sa.Column("technician_id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("service_type_id", sa.String(length=32), nullable=False),
        sa.Column("arrival_at", Instant(timezone=True), nullable=False),
        sa.Column("ends_at", Instant(timezone=True), nullable=False),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("lon", sa.Float(), nullable=False),
        sa.Column("travel_s", sa.Integer(), nullable=False),
        sa.Column("travel_m", sa.Integer(), nullable=False),
        sa.Column("travel_source", sa.String(length=16), nullable=False),
        sa.Column("chosen", sa.JSON(), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.Column("expires_at", Instant(timezone=True), nullable=False),
        sa.Column("extended", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_holds_account_id")),
        sa.ForeignKeyConstraint(["service_type_id"], ["service_types.id"], name=op.f("fk_holds_service_type_id")),
        sa.ForeignKeyConstraint(["technician_id"], ["technicians.id"], name=op.f("fk_holds_technician_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
        sa.UniqueConstraint("session_id", name=op.f("uq_holds_session_id")),
    )
    op.create_index(op.f("ix_holds_expires_at"), "holds", ["expires_at"], unique=False)
    op.create_index(op.f("ix_holds_technician_id"), "holds", ["technician_id"], unique=False)

    op.create_table(
        "technician_breaks",
        sa.Column("technician_id", sa.String(length=32), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("starts", sa.Integer(), nullable=False),
        sa.Column("ends", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["technician_id"], ["technicians.id"], name=op.f("fk_technician_breaks_technician_id")),
        sa.PrimaryKeyConstraint("technician_id", "weekday", "starts", name=op.f("pk_technician_breaks")),
    )
    op.create_table(
        "technician_skills",
        sa.Column("technician_id", sa.String(length=32), nullable=False),
        sa.Column("skill_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["skill_id"], ["skills.id"], name=op.f("fk_technician_skills_skill_id")),
        sa.ForeignKeyConstraint(["technician_id"], ["technicians.id"], name=op.f("fk_technician_skills_technician_id")),
        sa.PrimaryKeyConstraint("technician_id", "skill_id", name=op.f("pk_technician_skills")),
    )
    op.create_index(op.f("ix_technician_skills_skill_id"), "technician_skills", ["skill_id"], unique=False)

    op.create_table(
        "technician_territories",
        sa.Column("technician_id", sa.String(length=32), nullable=False),
        sa.Column("territory_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["technician_id"], ["technicians.id"], name=op.f("fk_technician_territories_technician_id")),
        sa.ForeignKeyConstraint(["territory_id"], ["territories.id"], name=op.f("fk_technician_territories_territory_id")),
        sa.PrimaryKeyConstraint("technician_id", "territory_id", name=op.f("pk_technician_territories")),
    )
    op.create_index(op.f("ix_technician_territories_territory_id"), "technician_territories", ["territory_id"], unique=False)

    op.create_table(
        "password_resets",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=True),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.Column("expires_at", Instant(timezone=True), nullable=False),
        sa.Column("used_at", Instant(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_password_resets_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_password_resets")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_password_resets_token_hash")),
    )
    op.create_index(op.f("ix_password_resets_person_id"), "password_resets", ["person_id"], unique=False)

    op.create_table(
        "invitations",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("contact_id", sa.String(length=32), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.Column("expires_at", Instant(timezone=True), nullable=False),
        sa.Column("used_at", Instant(timezone=True), nullable=True),
        sa.Column("revoked_at", Instant(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_invitations_contact_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_invitations_code_hash")),
    )
    op.create_index(op.f("ix_invitations_contact_id"), "invitations", ["contact_id"], unique=False)
    op.create_index(op.f("ix_invitations_email"), "invitations", ["email"], unique=False)
    op.create_index(
        "uq_invitations_one_automatic",
        "invitations",
        ["email"],
        unique=True,
        sqlite_where=sa.text("automatic"),
        postgresql_where=sa.text("automatic"),
    )

    op.create_table(
        "promised_cells",
        sa.Column("technician_id", sa.String(length=32), nullable=False),
        sa.Column("cell", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("appointment_id", sa.String(length=32), nullable=True),
        sa.Column("hold_id", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["appointment_id"], ["appointments.id"], name=op.f("fk_promised_cells_appointment_id")),
        sa.ForeignKeyConstraint(["hold_id"], ["holds.id"], name=op.f("fk_promised_cells_hold_id")),
        sa.ForeignKeyConstraint(["technician_id"], ["technicians.id"], name=op.f("fk_promised_cells_technician_id")),
        sa.PrimaryKeyConstraint("technician_id", "cell", name=op.f("pk_promised_cells")),
    )
    op.create_index(op.f("ix_promised_cells_appointment_id"), "promised_cells", ["appointment_id"], unique=False)
    op.create_index("ix_promised_cells_cell", "promised_cells", ["cell"], unique=False)
    op.create_index(op.f("ix_promised_cells_hold_id"), "promised_cells", ["hold_id"], unique=False)

    op.add_column("appointments", sa.Column("asset_id", sa.String(length=32), nullable=True))
    op.add_column("appointments", sa.Column("booked_by", sa.String(length=32), nullable=True))
    op.add_column("appointments", sa.Column("keep_informed", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column("appointments", sa.Column("travel_s", sa.Integer(), nullable=True))
    op.add_column("appointments", sa.Column("travel_m", sa.Integer(), nullable=True))
    op.add_column("appointments", sa.Column("travel_source", sa.String(length=16), nullable=True))
    op.add_column("appointments", sa.Column("chosen", sa.JSON(), nullable=True))
    op.add_column("appointments", sa.Column("flag", sa.Text(), nullable=True))
    op.add_column("appointments", sa.Column("sequence", sa.Integer(), server_default="0", nullable=False))

    op.create_index("ix_appointments_arrival", "appointments", ["arrival_at", "lat", "lon", "technician_id"], unique=False)
    op.create_index("ix_technicians_home", "technicians", ["home_lat", "home_lon"], unique=False)

    op.drop_index(op.f("ix_outbox_due_at"), "outbox")
    for name, column, which in (
        ("ix_outbox_waiting", "due_at", "sent_at IS NULL AND parked_at IS NULL"),
        ("ix_outbox_failed", "parked_at", "last_error IS NOT NULL"),
    ):
        op.create_index(name, "outbox", [column], unique=False, sqlite_where=sa.text(which), postgresql_where=sa.text(which))

    op.add_column("contacts", sa.Column("ended_at", Instant(timezone=True), nullable=True))
    op.create_index(
        "uq_contacts_one_living",
        "contacts",
        ["account_id", "email"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL AND email <> ''"),
        postgresql_where=sa.text("ended_at IS NULL AND email <> ''"),
    )
    op.add_column("sessions", sa.Column("account_id", sa.String(length=32), nullable=True))

    op.add_column("people", sa.Column("phone", sa.String(length=32), nullable=True))
    op.add_column("people", sa.Column("locale", sa.String(length=16), nullable=True))
    op.add_column("people", sa.Column("zone", sa.String(length=64), nullable=True))
    op.add_column("people", sa.Column("profile_at", Instant(timezone=True), nullable=True))

    op.add_column("service_types", sa.Column("description", sa.Text(), nullable=True))
    op.add_column("service_types", sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column("service_types", sa.Column("self_schedulable", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column("service_types", sa.Column("crew", sa.Integer(), server_default="1", nullable=False))
    op.add_column("service_types", sa.Column("for_all", sa.Boolean(), server_default=sa.true(), nullable=False))


def downgrade() -> None:
    raise NotImplementedError("bookings cannot be forgotten: restore a copy of the database instead")
