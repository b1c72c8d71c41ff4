"""Every table on one page."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime. SQLite has no zones, so there it is kept as naive UTC and read back aware."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime must not reach the database")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)


def _id() -> Column[Any]:
    return Column("id", String(32), primary_key=True)


def _ref(name: str, target: str, *, null: bool = False, index: bool = True) -> Column[Any]:
    return Column(name, String(32), ForeignKey(f"{target}.id"), nullable=null, index=index)


# -- people ------------------------------------------------------------------------------------------------------------

accounts = Table(
    "accounts",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    Column("active", Boolean, nullable=False, default=True),
    Column("address", Text),
    Column("lat", Float),
    Column("lon", Float),
    Column("zone", String(64)),
    Column("created_at", Instant, nullable=False),
)

people = Table(
    "people",
    metadata,
    _id(),
    Column("email", String(254), nullable=False, unique=True),  # lower case
    Column("name", Text, nullable=False),
    Column("password_hash", Text),
    Column("role", String(16), nullable=False),  # customer, technician, dispatcher, admin
    _ref("technician_id", "technicians", null=True),
    Column("created_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("phone", String(32)),
    Column("locale", String(16)),  # the language of letters; NULL: the company's
    Column("zone", String(64)),  # the own time zone, shown beside the address's where it differs
    Column("profile_at", Instant),  # when the first-time profile page was shown
)

contacts = Table(
    "contacts",
    metadata,
    _id(),
    _ref("account_id", "accounts"),
    _ref("person_id", "people", null=True),
    Column("email", String(254), nullable=False),
    Column("name", Text, nullable=False),
    Column("phone", String(32)),
    Column("created_at", Instant, nullable=False),
    Column("ended_at", Instant),  # deleted: the row stays, appointments point at it
)
Index(
    "uq_contacts_one_living",
    contacts.c.account_id,
    contacts.c.email,
    unique=True,
    sqlite_where=text("ended_at IS NULL AND email <> ''"),
    postgresql_where=text("ended_at IS NULL AND email <> ''"),
)

sessions = Table(
    "sessions",
    metadata,
    _id(),  # what is shown in lists and sent to other processes; never the token
    Column("token_hash", LargeBinary(32), nullable=False, unique=True),  # SHA-256 of the cookie's 256 random bits
    _ref("person_id", "people"),
    Column("user_agent", Text),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("account_id", String(32)),  # of a person's accounts the one they look at; NULL: the first
)

invitations = Table(
    "invitations",
    metadata,
    _id(),
    _ref("contact_id", "contacts"),
    Column("email", String(254), nullable=False, index=True),
    Column("code_hash", LargeBinary(32), nullable=False, unique=True),
    Column("automatic", Boolean, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
    Column("revoked_at", Instant),
)
Index(
    "uq_invitations_one_automatic",  # by itself only once for each address, for ever (O3)
    invitations.c.email,
    unique=True,
    sqlite_where=text("automatic"),
    postgresql_where=text("automatic"),
)

password_resets = Table(
    "password_resets",
    metadata,
    _id(),
    _ref("person_id", "people", null=True),  # NULL: asked for an address that nobody has; the same work is done for it
    Column("token_hash", LargeBinary(32), nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    Column("token_hash", LargeBinary(32), nullable=False, unique=True),
    Column("scopes", JSON, nullable=False),  # a list of texts, see domain/scopes
    Column("created_by", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("seen_at", Instant),
    Column("revoked_at", Instant),
)

# -- what is serviced --------------------------------------------------------------------------------------------------

functional_locations = Table(
    "functional_locations",
    metadata,
    _id(),
    _ref("account_id", "accounts"),
    Column("name", Text, nullable=False),
    Column("address", Text),
    Column("lat", Float),
    Column("lon", Float),
    Column("zone", String(64)),
)

assets = Table(
    "assets",
    metadata,
    _id(),
    _ref("account_id", "accounts"),
    _ref("location_id", "functional_locations", null=True, index=False),
    Column("name", Text, nullable=False),
    Column("model", Text),
    Column("serial", String(64)),
    Column("active", Boolean, nullable=False, default=True),
    Column("created_at", Instant, nullable=False),
)

# -- technicians and their phones --------------------------------------------------------------------------------------

technicians = Table(
    "technicians",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    Column("title", Text),  # "Heat pump technician"
    Column("photo", Text),  # a path of ours
    Column("vehicle", Text),
    Column("plate", String(16)),
    Column("phone", String(32)),
    Column("home_lat", Float),
    Column("home_lon", Float),
    Column("zone", String(64), nullable=False),
    Column("active", Boolean, nullable=False, default=True),
    Column("sharing", Boolean, nullable=False, default=True),
    Column("sharing_reason", Text),
    Column("sharing_since", Instant),
    _ref("device_id", "devices", null=True, index=False),  # the chosen device: the only one that moves the marker
    Column("gate_version", Integer, nullable=False, default=0),  # the fence of the gate: +1 in every opening and closing
)

Index("ix_technicians_home", technicians.c.home_lat, technicians.c.home_lon)

technician_hours = Table(
    "technician_hours",
    metadata,
    Column("technician_id", String(32), ForeignKey("technicians.id"), primary_key=True),
    Column("weekday", Integer, primary_key=True),  # Monday = 0
    Column("starts", Integer, primary_key=True),  # minutes after local midnight
    Column("ends", Integer, nullable=False),
)

devices = Table(
    "devices",
    metadata,
    _id(),
    Column("technician_id", String(32), ForeignKey("technicians.id", use_alter=True), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("token_hash", LargeBinary(32), unique=True),  # NULL: the browser of a signed-in technician
    Column("passphrase", Text),  # OwnTracks' shared secret, if the phone encrypts
    Column("interval_s", Integer),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant),
    Column("revoked_at", Instant),
)

technician_breaks = Table(
    "technician_breaks",
    metadata,
    Column("technician_id", String(32), ForeignKey("technicians.id"), primary_key=True),
    Column("weekday", Integer, primary_key=True),  # Monday = 0
    Column("starts", Integer, primary_key=True),  # minutes after local midnight
    Column("ends", Integer, nullable=False),
)

absences = Table(
    "absences",
    metadata,
    _id(),
    _ref("technician_id", "technicians"),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("reason", Text),
)

closed_days = Table(
    "closed_days",  # the company's own, beside the public holidays of the setting
    metadata,
    Column("day", Date, primary_key=True),
    Column("name", Text, nullable=False),
)

skills = Table("skills", metadata, _id(), Column("name", Text, nullable=False, unique=True))

technician_skills = Table(
    "technician_skills",
    metadata,
    Column("technician_id", String(32), ForeignKey("technicians.id"), primary_key=True),
    Column("skill_id", String(32), ForeignKey("skills.id"), primary_key=True, index=True),
)

territories = Table(
    "territories",
    metadata,
    _id(),
    Column("name", Text, nullable=False, unique=True),
    Column("area", JSON, nullable=False),  # a GeoJSON Polygon or MultiPolygon
    Column("south", Float, nullable=False),  # its box, so that a place is looked for among few
    Column("west", Float, nullable=False),
    Column("north", Float, nullable=False),
    Column("east", Float, nullable=False),
    Column("active", Boolean, nullable=False, default=True),
    Column("version", Integer, nullable=False, server_default="1"),  # rises with each change of the area: processes keep it read
)

technician_territories = Table(
    "technician_territories",  # a technician without any serves everywhere
    metadata,
    Column("technician_id", String(32), ForeignKey("technicians.id"), primary_key=True),
    Column("territory_id", String(32), ForeignKey("territories.id"), primary_key=True, index=True),
)

account_technicians = Table(
    "account_technicians",  # an account's constraints
    metadata,
    Column("account_id", String(32), ForeignKey("accounts.id"), primary_key=True),
    Column("technician_id", String(32), ForeignKey("technicians.id"), primary_key=True),
    Column("rule", String(8), nullable=False),  # never, only
)

# -- work --------------------------------------------------------------------------------------------------------------

service_types = Table(
    "service_types",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    Column("duration_min", Integer, nullable=False),
    Column("description", Text),
    Column("active", Boolean, nullable=False, server_default=true()),
    Column("self_schedulable", Boolean, nullable=False, server_default=true()),
    Column("crew", Integer, nullable=False, server_default="1"),  # technicians needed; more than one is not self-schedulable
    Column(
        "for_all", Boolean, nullable=False, server_default=true()
    ),  # False: only for the accounts named in service_type_accounts
)

service_type_skills = Table(
    "service_type_skills",  # all of them are needed
    metadata,
    Column("service_type_id", String(32), ForeignKey("service_types.id"), primary_key=True),
    Column("skill_id", String(32), ForeignKey("skills.id"), primary_key=True),
)

service_type_accounts = Table(
    "service_type_accounts",  # who may book a service type that is not for all
    metadata,
    Column("service_type_id", String(32), ForeignKey("service_types.id"), primary_key=True),
    Column("account_id", String(32), ForeignKey("accounts.id"), primary_key=True, index=True),
)

appointments = Table(
    "appointments",
    metadata,
    _id(),
    Column("booking_id", String(16), nullable=False, unique=True),  # what people say on the phone: WP-7K3F-21
    _ref("account_id", "accounts"),
    _ref("contact_id", "contacts", null=True),  # reported by
    _ref("technician_id", "technicians", null=True),
    _ref("service_type_id", "service_types"),
    Column("state", String(16), nullable=False),
    Column("version", Integer, nullable=False, default=1),
    Column("arrival_at", Instant, nullable=False),  # the promised arrival
    Column("ends_at", Instant, nullable=False),  # the promised end
    Column("duration_min", Integer, nullable=False),
    Column("address", Text, nullable=False),
    Column("lat", Float, nullable=False),
    Column("lon", Float, nullable=False),
    Column("zone", String(64), nullable=False),
    Column("details", Text),
    Column("source", String(16), nullable=False),  # portal, staff
    Column("leg_id", String(32)),  # the current leg while traveling; closed legs stay in `legs`
    Column("traveling_at", Instant),
    Column("started_at", Instant),
    Column("completed_at", Instant),
    Column("canceled_at", Instant),
    Column("canceled_by", Text),
    Column("cancel_reason", Text),
    Column("outcome", Text),  # why it could not be done
    Column("created_at", Instant, nullable=False),
    Column("asset_id", String(32)),  # of `assets`, whose rows are never removed
    Column("booked_by", String(32)),  # the person or token that booked
    Column("keep_informed", Boolean, nullable=False, server_default=true()),  # letters for it are wanted (N2)
    Column("travel_s", Integer),  # promised travel to it, from where the technician is before
    Column("travel_m", Integer),
    Column("travel_source", String(16)),  # road, distance
    Column("chosen", JSON),  # why this technician (B6): {"m", "s", "next_m", "candidates", "source"}
    Column("flag", Text),  # needs a dispatcher: "travel" (the way to it cannot be kept), …
    Column("sequence", Integer, nullable=False, server_default="0"),  # of its calendar entry: rises with each move and cancel
    Column("unkept", String(16)),  # a change of the plan took its technician away: "absent", "closed", "hours", "inactive"
)
Index(
    "uq_appointments_one_traveling",
    appointments.c.technician_id,
    unique=True,
    sqlite_where=text("state = 'traveling'"),
    postgresql_where=text("state = 'traveling'"),
)
Index("ix_appointments_technician_arrival", appointments.c.technician_id, appointments.c.arrival_at)
Index(
    "ix_appointments_under_way",
    appointments.c.technician_id,
    sqlite_where=text("state IN ('traveling', 'in_progress')"),
    postgresql_where=text("state IN ('traveling', 'in_progress')"),
)
_WAITING = text("state = 'scheduled' AND (unkept IS NOT NULL OR flag IS NOT NULL OR technician_id IS NULL)")
Index(
    "ix_appointments_waiting",  # what needs a dispatcher
    appointments.c.arrival_at,
    sqlite_where=_WAITING,
    postgresql_where=_WAITING,
)
Index(
    "ix_appointments_arrival",  # who is near a place at a time, answered from the index alone
    appointments.c.arrival_at,
    appointments.c.lat,
    appointments.c.lon,
    appointments.c.technician_id,
)

holds = Table(
    "holds",
    metadata,
    _id(),
    Column("session_id", String(32), nullable=False, unique=True),  # one hold a session (B11)
    _ref("technician_id", "technicians"),
    _ref("account_id", "accounts", index=False),
    _ref("service_type_id", "service_types", index=False),
    Column("arrival_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("lat", Float, nullable=False),
    Column("lon", Float, nullable=False),
    Column("travel_s", Integer, nullable=False),
    Column("travel_m", Integer, nullable=False),
    Column("travel_source", String(16), nullable=False),
    Column("chosen", JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    Column("extended", Boolean, nullable=False, default=False),
)

promised_cells = Table(
    "promised_cells",  # five minutes of a technician's day, promised to one visit or hold: the key has the last word (B10)
    metadata,
    Column("technician_id", String(32), ForeignKey("technicians.id"), primary_key=True),
    Column("cell", Integer, primary_key=True, autoincrement=False),  # minutes since the epoch / 5
    _ref("appointment_id", "appointments", null=True),
    _ref("hold_id", "holds", null=True),
)
Index("ix_promised_cells_cell", promised_cells.c.cell)

legs = Table(
    "legs",
    metadata,
    _id(),
    _ref("appointment_id", "appointments"),
    _ref("technician_id", "technicians"),
    _ref("device_id", "devices", null=True, index=False),
    Column("started_at", Instant, nullable=False),  # no fix older than this is ever shown
    Column("origin_lat", Float),  # where it began: the previous customer or home; the cloak stands round it
    Column("origin_lon", Float),
    Column("planned_s", Integer),  # planned travel, as routed at the start
    Column("hides_at", Instant, nullable=False),  # the leg ends by itself then (P1)
    Column("ended_at", Instant),
    Column("end_reason", String(32)),
    Column("arriving_at", Instant),  # when its technician was noticed at the address (T5)
)
Index(
    "uq_legs_one_open",
    legs.c.technician_id,
    unique=True,
    sqlite_where=text("ended_at IS NULL"),
    postgresql_where=text("ended_at IS NULL"),
)

links = Table(
    "links",  # to one appointment, without signing in (M8)
    metadata,
    _id(),  # what is shown in lists and sent to other processes; never the token
    _ref("appointment_id", "appointments"),
    _ref("contact_id", "contacts", null=True),  # whose letters carry it
    Column("kind", String(8), nullable=False),  # letter, family
    Column("token_hash", LargeBinary(32), nullable=False, unique=True),  # keyed with the installation's secret
    Column("name", Text),  # whom the customer says it is for
    Column("created_by", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("until", Instant),  # extended by staff; NULL: 30 days after the visit's end
    Column("opened", Integer, nullable=False, server_default="0"),
    Column("opened_at", Instant),
    Column("blocked_at", Instant),
    Column("ended_at", Instant),  # the row stays: its id must never come again
)

steps_taken = Table(
    "steps_taken",
    metadata,
    Column("technician_id", String(32), ForeignKey("technicians.id"), primary_key=True),
    Column("step_id", String(64), primary_key=True),  # the phone's own id: a step sent again gives the same answer
    Column("appointment_id", String(32), nullable=False),
    Column("step", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("pressed_at", Instant, nullable=False),
    Column("taken_at", Instant, nullable=False),
)

anchors = Table(
    "anchors",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),  # the order counts: the oldest within reach is the one
    Column("lat", Float, nullable=False),
    Column("lon", Float, nullable=False),
    Column("created_at", Instant, nullable=False),
)
Index("ix_anchors_place", anchors.c.lat, anchors.c.lon)

delays = Table(
    "delays",  # what a customer was told before anybody set off (E5)
    metadata,
    Column("appointment_id", String(32), ForeignKey("appointments.id"), primary_key=True),
    Column("technician_id", String(32), nullable=False),
    Column("promised", Instant, nullable=False),  # of this technician and promise: after a move or hand-over it says nothing
    Column("low", Instant, nullable=False),
    Column("at", Instant, nullable=False),
    Column("high", Instant, nullable=False),
    Column("told_at", Instant, nullable=False),
    Column("told", Integer, nullable=False),  # how often
    Column("over_at", Instant),  # the promise will be kept after all
)

surveys = Table(
    "surveys",
    metadata,
    Column("appointment_id", String(32), ForeignKey("appointments.id"), primary_key=True),  # once for each visit (A8)
    Column("stars", Integer, nullable=False),  # 1 to 5
    Column("comment", Text),
    Column("answered_by", Text, nullable=False),
    Column("answered_at", Instant, nullable=False, index=True),
    Column("changed_at", Instant, nullable=False),
    Column("read_at", Instant),  # by staff: from then on it stands
    Column("read_by", Text),
)

# -- what happened -----------------------------------------------------------------------------------------------------

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    _ref("appointment_id", "appointments"),
    Column("kind", String(32), nullable=False),  # traveling, in_progress, … booked, rescheduled
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("payload", JSON, nullable=False),
    Column("told_at", Instant),  # NULL: the worker tells it (its process died between commit and publish)
)
Index(
    "ix_events_untold",
    events.c.id,
    sqlite_where=text("told_at IS NULL"),
    postgresql_where=text("told_at IS NULL"),
)

points = Table(
    "points",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("technician_id", String(32), nullable=False),
    Column("device_id", String(32), nullable=False),
    Column("boot", String(64)),
    Column("seq", Integer),
    Column("fix_at", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("lat", Float, nullable=False),
    Column("lon", Float, nullable=False),
    Column("acc", Float),
    Column("speed", Float),
    Column("course", Float),
    Column("battery", Float),
    Column("leg_id", String(32)),
    UniqueConstraint("device_id", "boot", "seq"),
)
Index(
    "uq_points_stock",
    points.c.device_id,
    points.c.fix_at,
    points.c.lat,
    points.c.lon,
    unique=True,
    sqlite_where=text("boot IS NULL"),
    postgresql_where=text("boot IS NULL"),
)
Index("ix_points_technician_fix", points.c.technician_id, points.c.fix_at)
Index("ix_points_fix", points.c.fix_at)

told = Table(
    "told",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("appointment_id", String(32), nullable=False),
    Column("epoch", String(16), nullable=False),
    Column("offset", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("what", JSON, nullable=False),  # state, shown position, arrival range
    UniqueConstraint("appointment_id", "epoch", "offset"),
)

outbox = Table(
    "outbox",
    metadata,
    _id(),
    Column("kind", String(32), nullable=False),
    Column("appointment_id", String(32), index=True),
    Column("recipient", String(254), nullable=False, index=True),
    Column("message_id", String(128), nullable=False, unique=True),
    Column("payload", JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("leased_until", Instant),  # nobody takes it before: a worker has it, or it is to be tried later
    Column("unsure", Boolean, nullable=False, default=False, server_default=false()),  # a server may have it: no answer was noted
    Column("sent_at", Instant),
    Column("parked_at", Instant),  # not to be sent any more: given up (last_error), or overtaken by what happened since
    Column("last_error", Text),
)
Index("ix_outbox_newest", outbox.c.created_at, outbox.c.id)
Index(
    "ix_outbox_waiting",
    outbox.c.due_at,
    sqlite_where=text("sent_at IS NULL AND parked_at IS NULL"),
    postgresql_where=text("sent_at IS NULL AND parked_at IS NULL"),
)
Index(
    "ix_outbox_failed",
    outbox.c.parked_at,
    sqlite_where=text("last_error IS NOT NULL"),
    postgresql_where=text("last_error IS NOT NULL"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False, index=True),
    Column("actor", Text, nullable=False),
    Column("what", String(64), nullable=False),
    Column("subject", Text, nullable=False),
    Column("before", JSON),
    Column("after", JSON),
)

settings = Table(
    "settings",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", JSON, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", Text, nullable=False),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("key", String(128), primary_key=True),
    Column("who", String(64), primary_key=True),
    Column("body_hash", LargeBinary(32), nullable=False),
    Column("status", Integer, nullable=False),
    Column("answer", JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
)
