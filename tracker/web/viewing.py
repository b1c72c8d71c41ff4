"""What is said at `/ws/live`, as types: docs/asyncapi.yaml is made of them, and tests hold every frame of the service to them.

The frames themselves are put together where speed asks for it: positions in Redis (`live/keep.lua`), updates once for all viewers
(`live/frames`), snapshots from what SQL says (`actions/trip/views`).
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from tracker.domain.appointments import State
from tracker.live.staff import Box

type Offset = Annotated[int, Meta(ge=0)]
type Ago = Annotated[int, Meta(ge=0, description="seconds ago")]


# -- from the viewer ---------------------------------------------------------------------------------------------------


class Watch(Struct, tag_field="type", tag="watch", forbid_unknown_fields=True, omit_defaults=True):
    """The first frame: which visit. ``epoch``, ``offset``: of the last frame, when coming back; ``short``: short updates."""

    appointment: str
    epoch: str | None = None
    offset: Offset | None = None
    short: bool = False


class WatchBoard(Struct, tag_field="type", tag="watch", forbid_unknown_fields=True, omit_defaults=True):
    """The first frame of staff's board. ``bbox``: west, south, east, north in degrees."""

    board: Literal[True]
    bbox: Box | None = None


class Seen(Struct, tag_field="type", tag="seen", forbid_unknown_fields=True):
    """The page's answer to every update. At most two wait unseen; whoever owes one for 60 s is closed (1008)."""

    offset: int


# -- to the viewer -----------------------------------------------------------------------------------------------------


class Position(Struct, forbid_unknown_fields=True):
    """Where the technician was seen: degrees, accuracy in metres, course clockwise from north, m/s; null: the phone does not say.

    ``fix_at``: when the place was measured; ``contact_at``: when the phone last spoke; ``interval_s``: how often it is asked to.
    ``reason``: why it may fall silent, absent if nothing speaks for that.
    """

    lat: float
    lon: float
    acc: float | None
    course: float | None
    speed: float | None
    fix_at: datetime
    contact_at: datetime
    interval_s: int
    reason: Literal["battery"] | None = None


class Eta(Struct, forbid_unknown_fields=True):
    """When the technician will be there: 80 % of arrivals lie from low to high. ``booked``: nothing but the promise is known."""

    at: datetime
    low: datetime
    high: datetime
    basis: Literal["road", "distance", "booked"]


class Visit(Struct, forbid_unknown_fields=True):
    """The appointment. Times that are not known yet are absent."""

    id: str
    booking_id: str
    service: str
    address: str
    lat: float
    lon: float
    zone: str
    duration_min: int
    arrival_at: datetime
    ends_at: datetime
    traveling_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    canceled_at: datetime | None = None


class Card(Struct, forbid_unknown_fields=True):
    """Who comes. ``phone`` and ``sharing`` (false: paused) only while traveling; what is not known is absent."""

    name: str
    title: str | None = None
    photo: str | None = None
    vehicle: str | None = None
    plate: str | None = None
    phone: str | None = None
    sharing: bool | None = None


class Later(Struct, forbid_unknown_fields=True):
    """An arrival later than promised, as it was told before anybody set off, and when that was."""

    low: datetime
    high: datetime
    as_of: datetime


class Snapshot(Struct, tag_field="type", tag="snapshot", forbid_unknown_fields=True):
    """How things stand. ``recovered``: same epoch, every state since the client's offset follows. ``route``: polyline6 ahead.

    ``reason``: why nothing newer may come, null if that is not known; never anybody's own words; ``tracking_off``: the company
    shows its customers no live map. ``arriving``: the technician
    was noticed at the address; a new snapshot says when that begins, and if it is taken back. ``expected``: scheduled, and
    later than promised."""

    now: datetime
    epoch: str
    offset: Offset
    recovered: bool
    state: State
    appointment: Visit
    technician: Card | None
    position: Position | None
    eta: Eta | None
    route: str | None
    reason: Literal["battery", "paused", "tracking_off"] | None
    arriving: bool
    expected: Later | None


class Update(Struct, tag_field="type", tag="update", forbid_unknown_fields=True):
    """The technician moved, or only the phone spoke. Of several only the newest is sent. No ``eta``: as before."""

    now: datetime
    offset: Offset
    position: Position
    eta: Eta | None


class ShortUpdate(Struct, array_like=True, forbid_unknown_fields=True):
    """The same as a bare array, for who asked for it: north and east in 10⁻⁵ degrees from the appointment's place, accuracy in
    metres, course, m/s, ages of fix and contact in seconds, ETA in seconds from now, seconds from low to it and from it to high,
    its basis, the position's reason. null: not known, and ``road`` as the basis; the end of the array is absent where nothing
    is left to say."""

    offset: Offset
    north: int
    east: int
    acc: int | None
    course: int | None
    speed: int | None
    age: Ago
    contact: Ago
    eta: int | None = None
    early: int | None = None
    late: int | None = None
    basis: Literal["distance", "booked"] | None = None
    reason: Literal["battery"] | None = None


class StateSaid(Struct, tag_field="type", tag="state", forbid_unknown_fields=True):
    """The visit changed; never skipped. Whatever position was shown is over, unless an update follows."""

    now: datetime
    offset: Offset
    state: State
    at: datetime


class Ended(Struct, tag_field="type", tag="ended", forbid_unknown_fields=True):
    """The visit is over; never skipped. The socket stays: staff may take a completion back."""

    now: datetime
    offset: Offset
    state: State
    at: datetime


class Beat(Struct, tag_field="type", tag="beat", forbid_unknown_fields=True):
    """A sign of life, at least every 20 s."""

    now: datetime


class Standing(Struct, forbid_unknown_fields=True):
    """A technician on duty. ``appointment``: the one under way."""

    technician: str
    name: str
    appointment: str | None
    position: Position


class Changed(Struct, forbid_unknown_fields=True):
    """A technician who moved; position null: gone from the map (or from the box)."""

    technician: str
    appointment: str | None
    position: Position | None


class BoardSnapshot(Struct, tag_field="type", tag="snapshot", forbid_unknown_fields=True):
    """Everybody on duty, inside the box if one was named."""

    now: datetime
    technicians: list[Standing]


class BoardUpdate(Struct, tag_field="type", tag="update", forbid_unknown_fields=True):
    """Who changed, at most once a second, each with the newest only."""

    now: datetime
    offset: Offset
    technicians: list[Changed]
